"""A run on a worker process, and its ending if the worker died."""

from __future__ import annotations

from rheojobs.engine import messages
from rheojobs.engine.executors.processes.worker_handle import WorkerHandle
from rheojobs.engine.executors.remote_run import RemoteRun

__all__ = ["ProcessRun"]


class ProcessRun(RemoteRun):
    """A run, from its wait for a worker to its end.

    Attributes
    ----------
    worker : WorkerHandle or None
        The worker that it is assigned to.
    is_sending : bool
        Whether its task is being sent or was sent to that worker; else it is still being pickled.
    is_inspected : bool
        Whether an answer to `inspect` is still to come.
    stop_error : Exception or None
        The error with which it ends if its worker was killed for a reason.
    """

    worker: WorkerHandle | None = None
    is_sending = False
    is_inspected = False
    stop_error: Exception | None = None

    def ending_by_death(self, reason: str, error: Exception | None) -> messages.Message:
        """Return the last message of the run after its worker died.

        Parameters
        ----------
        reason : str
            How it died.
        error : Exception or None
            Why messages of the worker could not be read any more.
        """
        if self.cancelled:
            return messages.Cancelled()
        if (error := self.stop_error or error) is not None:
            return messages.Failed(error)
        return messages.Died(f"the worker process died: {reason}")
