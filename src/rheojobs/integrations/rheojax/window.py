"""Show progress, the verdict of stopped samplings and plots in RheoJAX's window.

The functions here replace some of the window's own (see `hooks`), and run in its thread.
"""

from __future__ import annotations

import functools
import time
import weakref
from collections.abc import Callable
from typing import Any

from rheojobs.durations import duration
from rheojobs.integrations.rheojax.pause_button import PauseButton
from rheojobs.qt.binding import is_alive

__all__ = ["JobDisplay", "verdict_with_rest"]


class JobDisplay:
    """Shows the progress of fits and samplings in their steps and in the status bar.

    The window makes its steps anew for each project; those of the present one are known here.

    Parameters
    ----------
    pause : callable
        Pauses or resumes the job of a kind of step, ``"nlsq"`` or ``"nuts"``.
    """

    def __init__(self, pause: Callable[[str, bool], bool]) -> None:
        self._pause = pause
        self._steps: dict[str, weakref.ref[Any]] = {}
        self._latest: dict[str, dict[str, Any]] = {}

    def take_steps(self, bodies: list[Any]) -> None:
        """Note the steps of a new project: those that run fits and samplings."""
        for kind, name in (("nlsq", "NlsqStep"), ("nuts", "NutsStep")):
            for body in bodies:
                if type(body).__name__ == name:
                    self._steps[kind] = weakref.ref(body)
                    PauseButton(body, functools.partial(self._pause, kind))  # the step owns it

    def reporter(
        self, active_jobs: Any, job_id: str, status_bar: Any = None
    ) -> Callable[[Any], None]:
        """Return the function that the window calls with each message of a job."""
        kind = job_id.rsplit(":", 1)[-1]
        self._latest.pop(kind, None)

        def on_progress(message: Any) -> None:
            if active_jobs is not None and (job := active_jobs.by_id.get(job_id)) is not None:
                job["progress"] = message
            if not isinstance(message, dict):
                return
            percent, total = message.get("percent", 0), message.get("total", 100)
            if status_bar is not None:
                text = message.get("short", message.get("message", ""))
                status_bar.show_progress(percent, total, text)
            self._latest[kind] = message
            step = self._step(kind)
            if step is not None:
                if percent:  # until there is a number, the bar moves to and fro
                    step._progress_bar.setRange(0, total)
                    step._progress_bar.setValue(percent)
                else:
                    step._progress_bar.setRange(0, 0)
                step._elapsed_label.setText(message.get("details", message.get("message", "")))

        return on_progress

    def tick(self, step: Any, kind: str, otherwise: Callable[[Any], None]) -> None:
        """Show how long a job has run, if it has not reported for a second."""
        latest = self._latest.get(kind)
        if latest is None or "details" not in latest:
            otherwise(step)
            return
        seconds = time.monotonic() - step._run_start_time
        step._elapsed_label.setText(f"{duration(seconds)}: {latest['message']}")

    def _step(self, kind: str) -> Any:
        found = self._steps.get(kind)
        step = None if found is None else found()
        return step if step is not None and is_alive(step) else None


def verdict_with_rest(
    verdict: Callable[[dict[str, Any]], dict[str, Any]], result: dict[str, Any]
) -> dict[str, Any]:
    """Return the window's verdict on a sampling, with what it cannot know: that it was stopped."""
    found = verdict(result)
    reasons = list(found["reasons"])
    if result.get("is_partial"):
        drawn, wanted = result["num_samples"], result["wanted_samples"]
        reasons.insert(0, f"stopped: {drawn} of {wanted} draws a chain kept")
    if count := len(result.get("warnings") or ()):
        reasons.append(f"{count} warning{'s' if count > 1 else ''}, see the log")
    return found | {"converged": not reasons, "reasons": reasons}
