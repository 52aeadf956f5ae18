"""The queries of an engine: its jobs, the events of these, and estimates of their duration."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable

from rheojobs.engine.delivery.event_bus import EventBus
from rheojobs.engine.delivery.mailboxes import Caller, Listener, Subscriber, TakesEvents
from rheojobs.engine.events import JobEvent
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.policy.eta import Durations, Remaining

__all__ = ["JobQueries"]


class JobQueries:
    """The part of `JobEngine` that lists jobs and publishes their events; it changes none.

    Parameters
    ----------
    table : JobRegistry
        The jobs.
    bus : EventBus
        Delivers their events.
    """

    def __init__(self, table: JobRegistry, bus: EventBus) -> None:
        self._table = table
        self._bus = bus

    @property
    def durations(self) -> Durations:
        """Durations of earlier jobs of each kind (the task's name); known ones may be added."""
        return self._table.durations

    def job(self, job_id: str) -> Job:
        """Return the job with this id; raises `KeyError` if there is none."""
        return self._table.jobs[job_id]

    def jobs(self) -> list[Job]:
        """Return all jobs, in order of submission."""
        with self._table.lock:
            return list(self._table.jobs.values())

    def forget(self, job: Job) -> None:
        """Remove a job from the engine's list, once it has ended, so that its result is freed."""
        # Without the lock, which the thread that delivers the result may hold: the later of the two
        # threads sees what the other has written, and removes the job.
        job.is_kept = False
        if job.state.is_terminal:
            self._table.jobs.pop(job.id, None)

    def active_count(self) -> int:
        """Return how many jobs have not ended."""
        return self._table.active_count()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until every job has ended and is `done`; False after `timeout` seconds."""
        return self._table.wait(timeout)

    def subscribe(
        self,
        subscriber: Subscriber | TakesEvents,
        *,
        job: Job | None = None,
        present: bool = False,
    ) -> Callable[[], None]:
        """Call a subscriber with each event, or each event of one job, in order.

        Each subscriber is called on a thread of its own, so it does not delay others. A slow one
        loses progress and partial results that newer ones have superseded, and nothing else.

        Parameters
        ----------
        subscriber : callable or queue
            Called with each event; or a queue, into which each event is put.
        job : Job, optional
            The only job of interest; its present state comes first.
        present : bool
            Whether the present state of all jobs comes first.

        Returns
        -------
        callable
            Ends the subscription: after it returns, no call begins any more.
        """
        return self._listen(Caller(subscriber), job, present)

    async def events(
        self, *, job: Job | None = None, present: bool = True
    ) -> AsyncGenerator[JobEvent]:
        """Yield each event, or each event of one job, until the engine is shut down.

        Parameters
        ----------
        job : Job, optional
            The only job of interest; its present state comes first.
        present : bool
            Whether the present state of all jobs comes first.
        """
        listener = Listener()
        unsubscribe = self._listen(listener, job, present)
        try:
            async for event in listener:
                yield event
        finally:
            unsubscribe()

    def _listen(self, who: Caller | Listener, job: Job | None, present: bool) -> Callable[[], None]:
        with self._table.lock:
            jobs = [job] if job is not None else list(self._table.jobs.values()) if present else []
            first = [event for each in jobs for event in self._table.present(each)]
            return self._bus.subscribe(who, job.id if job is not None else None, first)

    def time_remaining(self, job: Job) -> Remaining | None:
        """Return an estimate of the time that a job still needs: `Job.time_remaining`."""
        now = time.monotonic()
        with self._table.lock:
            if job.state.is_terminal:
                return None
            if (left := job.estimate.left(job.clock.seconds(now))) is not None:
                return left
            return self.durations.left(job.task_name, job.clock.seconds(now))
