"""A run on a worker process: where it is, and how it ended if its worker died."""

from __future__ import annotations

from rheojobs.engine import messages
from rheojobs.engine.executors.processes.worker_handle import WorkerHandle
from rheojobs.engine.executors.remote_run import RemoteRun

__all__ = ["ProcessRun"]


class ProcessRun(RemoteRun):
    """A run on its way through waiting, a worker, and its end.

    Attributes
    ----------
    worker : WorkerHandle or None
        Where it is, from its assignment on.
    is_sending : bool
        Whether its task is on the way to that worker, or there; else it is still being pickled.
    is_inspected : bool
        Whether it was asked what it has so far, and has not answered yet.
    stop_error : Exception or None
        What it ends with if its worker was killed for a reason.
    """

    worker: WorkerHandle | None = None
    is_sending = False
    is_inspected = False
    stop_error: Exception | None = None

    def ending_by_death(self, reason: str, error: Exception | None) -> messages.Message:
        """Return how the run ended whose worker died.

        Parameters
        ----------
        reason : str
            How it died, in words.
        error : Exception or None
            Why it could not be listened to any more.
        """
        if self.cancelled:
            return messages.Cancelled()
        if (error := self.stop_error or error) is not None:
            return messages.Failed(error)
        return messages.Died(f"the worker process died: {reason}")
