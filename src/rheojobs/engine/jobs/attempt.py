"""A job that is polled by a caller that waits for several of them, each with its own limits."""

from __future__ import annotations

from typing import Any

from rheojobs.engine import Job, Progress
from rheojobs.errors import one_line

__all__ = ["Attempt"]


class Attempt:
    """A job that is being tried.

    Parameters
    ----------
    job : Job
        The job.
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    def ended(self) -> bool:
        """Whether it has ended, successfully or not."""
        return self.job.done()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return self.job.seconds

    @property
    def progress(self) -> Progress:
        """Its latest progress."""
        return self.job.latest_progress or Progress()

    @property
    def failure(self) -> str:
        """Why there is no result, on one line; empty if there is one. Only for an ended job."""
        if self.job.cancelled():
            return "stopped"
        error = self.job.exception()
        return "" if error is None else one_line(error)

    @property
    def result(self) -> Any:
        """Its result; only for an ended job without `failure`."""
        return self.job.result()
