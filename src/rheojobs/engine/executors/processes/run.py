"""A run on a worker process: where it is, and how it ended whose worker died."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheojobs.engine import messages
from rheojobs.engine.executors.remote_run import RemoteRun

if TYPE_CHECKING:
    from rheojobs.engine.executors.processes.worker_handle import WorkerProcess

__all__ = ["ProcessRun"]


class ProcessRun(RemoteRun):
    """A run on its way through waiting, a worker, and its end."""

    worker: WorkerProcess | None = None
    # What the run ends with, where its worker was killed for a reason.
    stop_error: Exception | None = None
    undelivered: Exception | None = None

    def last_word(self, reason: str) -> messages.Message:
        """Say how it ended whose worker died, for a reason in words."""
        if self.cancelled:
            return messages.Cancelled()
        if self.stop_error is not None:
            return messages.Failed(self.stop_error)
        if self.undelivered is not None:
            text = f"the result cannot be read in this process: {self.undelivered}"
            return messages.Failed(TypeError(text))
        return messages.Died(f"the worker process died: {reason}")
