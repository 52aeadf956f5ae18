"""What is shown of a job at one moment, in words; written as one line or as HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from rheojobs.durations import duration
from rheojobs.engine import Job, JobState, Progress

__all__ = ["JobView", "view_of_job", "view_of_progress"]

COLORS = {"succeeded": "#009e73", "failed": "#d55e00", "cancelled": "#e69f00"}
RUNNING = "#0072b2"
"""Colours of the bar, which readers with any colour vision can distinguish."""

BAR = "height:.6rem;border-radius:.3rem"


@dataclass(frozen=True)
class JobView:
    """A job at one moment.

    Attributes
    ----------
    title : str
        The job's name.
    state : str
        Its state, as in `JobState`.
    stage, message : str
        The part of the work that is counted, and what is being done.
    share : float or None
        The part of the stage that is done; None if it is not known.
    remaining : float or None
        Seconds that the stage still needs.
    seconds : float
        Seconds that the job has run.
    figures : tuple of (str, str)
        The loss, or R-hat, ESS and divergences, each with its label.
    """

    title: str
    state: str
    stage: str = ""
    message: str = ""
    share: float | None = None
    remaining: float | None = None
    seconds: float = 0.0
    figures: tuple[tuple[str, str], ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will follow."""
        return JobState(self.state).is_terminal

    def as_line(self) -> str:
        """Return the view as one line."""
        words = [self.message] if self.message else []
        if not self.has_ended:
            words += [f"{100 * self.share:.0f} %"] if self.share is not None else []
            words += [f"{duration(self.remaining)} left"] if self.remaining is not None else []
        said = " ".join(", ".join(words or [self.stage]).split())
        state = "" if self.state == JobState.RUNNING and said else self.state
        took = [f"after {duration(self.seconds)}"] if self.has_ended else []
        return f"{self.title}: {', '.join(filter(None, [state, said, *took]))}"

    def as_html(self, hint: str = "") -> str:
        """Return the view as a head, a bar and a row of figures; every text is escaped.

        Parameters
        ----------
        hint : str
            A line below, such as how to stop the job.
        """
        color = COLORS.get(self.state, RUNNING)
        times = [duration(self.seconds)]
        if self.remaining is not None and not self.has_ended:
            times.append(f"{duration(self.remaining)} left")
        said = self.message
        if _letters(self.stage) not in _letters(self.message):
            said = f"{self.stage}: {self.message}" if self.message else self.stage
        lines = [
            f'<b>{escape(self.title)}</b> <span style="color:{color}">{escape(self.state)}</span> '
            f"{escape(said)} <small>{escape(', '.join(times))}</small>"
        ]
        share = 1.0 if self.state == JobState.SUCCEEDED else self.share
        if share is not None:
            lines.append(
                f'<div style="{BAR};max-width:30rem;margin:.3rem 0;background:#8884">'
                f'<div style="{BAR};width:{100 * share:.1f}%;background:{color}"></div></div>'
            )
        if self.figures:
            told = (f"{escape(name)} <b>{escape(text)}</b>" for name, text in self.figures)
            lines.append(f"<div>{' · '.join(told)}</div>")
        if hint:
            lines.append(f"<small>{escape(hint)}</small>")
        return "\n".join(lines)


def view_of_job(job: Job) -> JobView:
    """Return a job as it is now."""
    progress = job.latest_progress or Progress()
    left = job.time_remaining()
    ended = job.state.is_terminal
    return JobView(
        job.name,
        str(job.state),
        "" if ended else progress.stage,
        job.message if ended else progress.message,
        _share(progress),
        None if left is None else left.seconds,
        job.seconds,
        _figures(progress.metrics),
    )


def view_of_progress(title: str, progress: Progress, seconds: float, state: JobState) -> JobView:
    """Return work that is no job of an engine, as it is now."""
    left = progress.metrics.get("time_remaining")
    ended = state.is_terminal
    return JobView(
        title,
        str(state),
        "" if ended else progress.stage,
        "" if ended else progress.message,
        _share(progress),
        float(left) if isinstance(left, int | float) else None,
        seconds,
        _figures(progress.metrics),
    )


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text.lower()))


def _share(progress: Progress) -> float | None:
    return progress.current / progress.total if progress.total else None


def _figures(metrics: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what a fit or a sampling reports; metrics of other tasks may be anything."""
    found = []
    loss = metrics.get("loss")
    if isinstance(loss, int | float):
        found.append(("loss", f"{loss:.5g}"))
    if r_hat := _numbers(metrics.get("r_hat")):
        found.append(("R-hat", f"≤ {max(r_hat):.3f}"))
    if ess := _numbers(metrics.get("ess_bulk")) + _numbers(metrics.get("ess_tail")):
        found.append(("ESS", f"≥ {min(ess):.0f}"))
    divergences = metrics.get("divergences")
    if isinstance(divergences, int | float):
        found.append(("divergences", f"{divergences:.0f}"))
    return tuple(found)


def _numbers(values: object) -> list[float]:
    """Return the values of a mapping if all are finite numbers, else none."""
    if not isinstance(values, Mapping):
        return []
    numbers = [float(value) for value in values.values() if isinstance(value, int | float)]
    return numbers if len(numbers) == len(values) and all(map(math.isfinite, numbers)) else []
