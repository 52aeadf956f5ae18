"""Buttons to pause and cancel a job, in a notebook with ipywidgets."""

from __future__ import annotations

import importlib.util
from typing import Any

from rheojobs.engine import Job, JobState

__all__ = ["JobButtons"]

WITHOUT = (
    "job.pause(), job.resume() and job.cancel() control it; "
    'pip install "rheojobs[notebook]" brings buttons'
)


class JobButtons:
    """The buttons *Pause* (then *Resume*) and *Cancel*; nothing without ipywidgets.

    Attributes
    ----------
    hint : str
        How the job is controlled if there are no buttons; else empty.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._box: Any = None
        self.hint = "" if importlib.util.find_spec("ipywidgets") else WITHOUT

    def show(self) -> None:
        """Display the buttons below what the cell has displayed so far."""
        if self.hint:
            return
        from IPython.display import display
        from ipywidgets import Button, HBox

        self._pause, self._cancel = Button(description="Pause"), Button(description="Cancel")
        self._pause.on_click(lambda _: self._pause_or_resume())
        self._cancel.on_click(lambda _: self._job.cancel())
        self._box = HBox([self._pause, self._cancel])
        self.update()
        display(self._box)

    def update(self) -> None:
        """Let the first button say what it would do now."""
        if self._box is None:
            return
        is_paused = self._job.state is JobState.PAUSED
        self._pause.description = "Resume" if is_paused else "Pause"
        self._pause.disabled = self._job.state not in (JobState.RUNNING, JobState.PAUSED)

    def close(self) -> None:
        """Remove the buttons."""
        if self._box is not None:
            self._box.close()

    def _pause_or_resume(self) -> None:
        if self._job.state is JobState.PAUSED:
            self._job.resume()
        else:
            self._job.pause()
