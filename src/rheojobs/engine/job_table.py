"""The jobs of an engine, and every change of their states.

Keeps the table and tells what happens in it; must not know executors, nor what runs next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rheojobs.engine import messages
from rheojobs.engine.errors import WorkerDiedError
from rheojobs.engine.events import PartialResult, Progress, ProgressMade, StateChanged
from rheojobs.engine.job import Job
from rheojobs.engine.publishing import Publisher
from rheojobs.engine.scheduler import WORKER
from rheojobs.engine.states import JobState, check_transition
from rheojobs.errors import InputError, nearest, one_line

if TYPE_CHECKING:
    from rheojobs.engine.journal import Journal

__all__ = ["JobTable"]

logger = logging.getLogger(__name__)


class JobTable:
    """All jobs that are known, those that have not ended, and the resources that are free.

    Parameters
    ----------
    publisher : Publisher
        Is told of every change.
    total : mapping
        How much there is of each resource.

    Attributes
    ----------
    lock : RLock
        Guards everything here; held while a job changes.
    idle : Condition
        Notified when a job has ended.
    wake : Event
        Set when something may start.
    jobs, open : dict of str to Job
        By id: all that were not forgotten, and those that have not ended.
    closed : bool
        Whether no more jobs are taken.
    journal : Journal or None
        Keeps on disk what comes of the jobs.
    """

    def __init__(self, publisher: Publisher, total: Mapping[str, float]) -> None:
        self._publisher = publisher
        self.total = dict(total)
        self.free = dict(total)
        self.lock = threading.RLock()
        self.idle = threading.Condition(self.lock)
        self.wake = threading.Event()
        self.jobs: dict[str, Job] = {}
        self.open: dict[str, Job] = {}
        self.unsettled = 0
        self.closed = False
        self.journal: Journal | None = None

    def active_count(self) -> int:
        """Count the jobs that have not ended."""
        with self.lock:
            return sum(not job.is_prewarming for job in self.open.values())

    def wait(self, timeout: float | None) -> bool:
        """Wait until every job has ended and is `done`; False after `timeout` seconds."""
        # It is the publisher that makes a job done: in its own thread there is no waiting for it.
        publishing = self._publisher.is_here()
        with self.idle:
            return self.idle.wait_for(
                lambda: not self.active_count() and (publishing or not self.unsettled), timeout
            )

    def check_resources(self, wanted: Mapping[str, float]) -> dict[str, float]:
        """Give what a job needs, its worker included; `InputError` where there is not so much."""
        needs = {WORKER: 1.0, **wanted}
        for name, amount in needs.items():
            if name not in self.total:
                raise InputError(f"unknown resource {name!r}; {nearest(name, self.total)}")
            if not 0 <= amount <= self.total[name]:
                raise InputError(
                    f"the job asks for {amount:g} of {name!r}, there is {self.total[name]:g}"
                )
        return needs

    def unblock(self) -> None:
        """Queue the jobs whose dependencies have succeeded; end those whose never will."""
        for job in list(self.open.values()):
            if job.state is not JobState.BLOCKED:
                continue
            bad = next((dep for dep in job.after if _has_not_succeeded(dep)), None)
            if bad is not None:
                message = f"cancelled, since {bad.name!r} ({bad.id[:8]}), which it needs, "
                message += "failed" if bad.state is JobState.FAILED else "was cancelled"
                self.end(job, JobState.CANCELLED, message=message)
            elif all(dep.state is JobState.SUCCEEDED for dep in job.after):
                self.move(job, JobState.QUEUED)

    def on_message(self, job: Job, message: messages.Message) -> None:
        """Take in what a job's task tells; called from any thread."""
        with self.lock:
            if job.state.is_terminal:
                logger.debug("job %s has ended; too late: %r", job.id, message)
                return
            stopping = job.state is JobState.CANCELLING
            match message:
                case messages.Started():
                    job.attempts += 1
                    self.move(job, JobState.RUNNING)
                    if job.cancel_wanted:
                        self.move(job, JobState.CANCELLING)
                case messages.Progressed(progress):
                    self._on_progress(job, progress)
                case messages.Partial(value):
                    job.partial = value
                    event = PartialResult(job.id, time.time(), value)
                    self._publisher.tell(event, private=job.is_prewarming)
                case messages.Stoppable():
                    pass  # for the executor, which has seen it
                case messages.Inspected(value):
                    job.partial = job.partial if value is None else value
                    self._show(job)
                case messages.Checkpointed(state):
                    job.checkpoint = state
                    if self.journal is not None and not job.is_prewarming:
                        self.journal.keep_checkpoint(job.id, state)
                case messages.Paused() if not stopping:
                    self.move(job, JobState.PAUSED)
                case messages.Resumed() if not stopping:
                    self.move(job, JobState.RUNNING)
                case messages.Succeeded(value) if stopping:
                    job.partial = value  # it was done before it heard of the wish to stop
                    self.end(job, JobState.CANCELLED)
                case messages.Succeeded(value):
                    self.end(job, JobState.SUCCEEDED, result=value)
                case messages.Cancelled():
                    self._on_cancelled(job)
                case messages.Failed() | messages.Died() if stopping:
                    self.end(job, JobState.CANCELLED)
                case messages.Failed(error):
                    self.end(job, JobState.FAILED, error=error)
                case messages.Died(reason):
                    self._on_death(job, reason)

    def _on_cancelled(self, job: Job) -> None:
        if job.state in (JobState.RUNNING, JobState.PAUSED):
            # The task stopped of its own accord: it passes through the same states.
            self.move(job, JobState.CANCELLING)
        self.end(job, JobState.CANCELLED)

    def _on_progress(self, job: Job, progress: Progress) -> None:
        job.latest_progress = progress
        event = ProgressMade(job.id, time.time(), progress)
        self._publisher.tell(event, private=job.is_prewarming)

    def _on_death(self, job: Job, reason: str) -> None:
        if job.state is JobState.QUEUED:  # its process never came up
            self.end(job, JobState.FAILED, error=WorkerDiedError(reason))
        elif job.attempts < job.max_attempts and not self.closed:
            self.move(job, JobState.INTERRUPTED, reason)
            self.take(job, -1)
            job.dispatched, job.control = False, None
            self.move(job, JobState.QUEUED)
            self.wake.set()
        else:
            self.end(job, JobState.FAILED, error=WorkerDiedError(reason))

    def move(self, job: Job, state: JobState, message: str = "") -> None:
        """Let a job enter a state, and tell."""
        check_transition(job.state, state)
        previous, job.state = job.state, state
        event = StateChanged(job.id, time.time(), previous, state, message)
        self._publisher.tell(event, private=job.is_prewarming)

    def end(
        self,
        job: Job,
        state: JobState,
        *,
        result: Any = None,
        error: BaseException | None = None,
        message: str = "",
    ) -> None:
        """Let a job enter its last state: give back what it held, and settle its future."""
        job.message = one_line(error) if error is not None else message
        if error is not None and job.token is not None:
            job.token.set_error(error)
        if job.forget_token is not None:
            job.forget_token()
        if job.dispatched:
            self.take(job, -1)
        job.control = None
        job.checkpoint = None
        if self.journal is not None and not job.is_prewarming:
            self.journal.keep_outcome(job, result, error)
        self._show(job, result)
        cancelled = state is JobState.CANCELLED
        # The future first: whoever is told of the end may ask for the result.
        self.unsettled += 1
        self._publisher.call(partial(self._settle, job, result, error, cancelled))
        self.move(job, state, job.message)
        del self.open[job.id]
        if self.closed and not self.open:
            self._publisher.close()
        self.idle.notify_all()
        self.wake.set()

    @staticmethod
    def _show(job: Job, result: Any = None) -> None:
        """Answer those who asked what a job has so far."""
        looks, job.looks = job.looks, []
        for look in looks:
            look.set_result(job.partial if result is None else result)

    def take(self, job: Job, sign: int) -> None:
        """Take what a job needs of the resources (1), or give it back (-1)."""
        for name, amount in job.needs.items():
            self.free[name] -= sign * amount

    def _settle(self, job: Job, result: Any, error: BaseException | None, cancelled: bool) -> None:
        try:
            job.future.settle(result, error, cancelled)
        finally:
            with self.lock:
                self.unsettled -= 1
                self.idle.notify_all()


def _has_not_succeeded(job: Job) -> bool:
    return job.state in (JobState.FAILED, JobState.CANCELLED)
