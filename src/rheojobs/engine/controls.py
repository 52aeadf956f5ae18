"""The controls of an engine: cancelling, pausing, resuming and inspecting jobs, and priorities."""

from __future__ import annotations

import logging
from typing import Any

from rheojobs.engine.delivery.event_bus import EventBus
from rheojobs.engine.jobs.dispatcher import Dispatcher
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.jobs.queries import JobQueries
from rheojobs.engine.store.commands import requested_priority
from rheojobs.engine.validation import check_priority

__all__ = ["JobControls"]

logger = logging.getLogger(__name__)


class JobControls(JobQueries):
    """The part of `JobEngine` that controls jobs; it submits none.

    Parameters
    ----------
    table : JobRegistry
        The jobs.
    bus : EventBus
        Delivers their events.
    dispatcher : Dispatcher
        Starts and stops them.
    """

    def __init__(self, table: JobRegistry, bus: EventBus, dispatcher: Dispatcher) -> None:
        super().__init__(table, bus)
        self._dispatcher = dispatcher

    def set_priority(self, job: Job, priority: int) -> bool:
        """Change the priority of a job; False if it has ended."""
        priority = check_priority(priority)
        with self._table.lock:
            if job.state.is_terminal:
                return False
            self._table.prioritise(job, priority)
        return True

    def pause_queue(self, *, running: bool = False) -> None:
        """Start no more jobs.

        Parameters
        ----------
        running : bool
            Whether to pause running jobs too.
        """
        self._dispatcher.pause_all(running=running)

    def resume_queue(self) -> None:
        """Start jobs again, and resume those that `pause_queue` has paused."""
        self._dispatcher.resume_all()

    def cancel(self, job: Job) -> bool:
        """Ask a job to stop and return at once; False if it had ended already."""
        return self._dispatcher.cancel(job)

    def cancel_all(self) -> int:
        """Ask all jobs to stop, and return how many were asked."""
        return self._dispatcher.cancel_all()

    def pause(self, job: Job) -> bool:
        """Pause a running job at its next `check`; False if it does not run."""
        return self._dispatcher.pause(job)

    def resume(self, job: Job) -> bool:
        """Resume a job that is paused, or about to be; False if it does not run."""
        return self._dispatcher.resume(job)

    def inspect(self, job: Job, timeout: float | None = None) -> Any:
        """Return the present result of a job: its result if it has one, else an intermediate one.

        Parameters
        ----------
        job : Job
            The job. If it runs and its task uses `TaskContext.on_inspect`, the value of that
            function is returned; otherwise the newest partial result, or None.
        timeout : float, optional
            Seconds to wait; raises `TimeoutError`.
        """
        return self._dispatcher.inspect(job, timeout)

    def _on_request(self, job_id: str, request: str) -> None:
        job = self._table.jobs.get(job_id)
        if job is None:
            return
        verbs = {"cancel": self.cancel, "pause": self.pause, "resume": self.resume}
        if (priority := requested_priority(request)) is not None:
            self.set_priority(job, priority)
        elif request in verbs:
            verbs[request](job)
        else:  # from a newer rheojobs on the same store
            logger.warning("the request %r for job %s is not known here", request, job_id)
