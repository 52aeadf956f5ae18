"""The jobs of an engine, and every change of their states.

Keeps the table and tells what happens in it; must not know executors, nor what runs next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rheojobs.engine import messages
from rheojobs.engine.errors import EngineClosedError, JobTimeoutError, WorkerDiedError
from rheojobs.engine.eta import Durations
from rheojobs.engine.event_bus import EventBus, First
from rheojobs.engine.events import (
    JobEvent,
    PartialResult,
    PriorityChanged,
    Progress,
    ProgressMade,
    StateChanged,
)
from rheojobs.engine.job import Job
from rheojobs.engine.scheduler import WORKER, Scheduler, Waiting
from rheojobs.engine.states import JobState, check_transition
from rheojobs.engine.store.spilling import spilled
from rheojobs.engine.task import Leftover, task_name
from rheojobs.engine.timers import Timers
from rheojobs.errors import one_line

if TYPE_CHECKING:
    from rheojobs.engine.store.writer import StoreWriter

__all__ = ["JobTable"]

logger = logging.getLogger(__name__)

BACK_OFF = 0.5
"""Seconds until a job is tried again whose worker has died; twice as many each further time."""

LONGEST_BACK_OFF = 60.0

QUARANTINE = 3
"""Workers that a job may take along; after that it is not started again unless somebody asks."""

ENDINGS = (
    messages.Succeeded,
    messages.Failed,
    messages.Cancelled,
    messages.Died,
    messages.Lost,
)


class JobTable:
    """All jobs that are known, those that have not ended, and the resources that are free.

    Parameters
    ----------
    publisher : EventBus
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
        Set when something may start; not by a result, as whoever brings one starts the next
        himself.
    scheduler : Scheduler
        Those that wait, and the resources that are free.
    agenda : Timers
        What is to be done later.
    durations : Durations
        How long jobs that have succeeded ran.
    jobs, open, prewarming : dict of str to Job
        By id: all that were not forgotten, those that have not ended, and of these the ones
        that only prepare.
    closed : bool
        Whether no more jobs are taken.
    arriving : int
        Jobs that were let in, and are being written before they come.
    journal : StoreWriter or None
        Keeps on disk what comes of the jobs.
    spill : float or None
        Bytes from which on results are not kept in memory when they are on disk.
    """

    def __init__(self, publisher: EventBus, total: Mapping[str, float]) -> None:
        self._publisher = publisher
        self.scheduler = Scheduler(total)
        self.agenda = Timers()
        self.durations = Durations()
        self.lock = threading.RLock()
        self.idle = threading.Condition(self.lock)
        self.wake = threading.Event()
        self.jobs: dict[str, Job] = {}
        self.open: dict[str, Job] = {}
        self.prewarming: dict[str, Job] = {}
        self._hanging: dict[str, list[Job]] = {}
        self._ended: deque[tuple[Job, list[Job]]] = deque()
        self.unsettled = 0
        self.closed = False
        self.arriving = 0
        self.journal: StoreWriter | None = None
        self.spill: float | None = None

    def check_open(self) -> None:
        """Raise `EngineClosedError` where no more jobs are taken; with the lock held."""
        if self.closed:
            raise EngineClosedError("this engine was shut down and takes no more jobs")

    def let_in(self) -> None:
        """Let a job come that `add` takes in a little later, even if no more are taken then."""
        with self.lock:
            self.check_open()
            self.arriving += 1

    def close_if_empty(self) -> None:
        """Let the publisher end with the last job, where no more are taken."""
        if self.closed and not self.open and not self.arriving:
            self._publisher.close()

    def active_count(self) -> int:
        """Count the jobs that have not ended."""
        with self.lock:
            return len(self.open) - len(self.prewarming)

    def wait(self, timeout: float | None) -> bool:
        """Wait until every job has ended and is `done`; False after `timeout` seconds."""
        # It is the publisher that makes a job done: in its own thread there is no waiting for it.
        publishing = self._publisher.is_here()
        with self.idle:
            return self.idle.wait_for(
                lambda: not self.active_count() and (publishing or not self.unsettled), timeout
            )

    def add(self, job: Job, *, may_start: bool = False) -> bool:
        """Take in a new job: it waits for its turn, or for other jobs.

        Gives whether it is to start now, which who adds it must see to: where it `may_start`, and
        nobody is before it.
        """
        self.open[job.id] = job
        if job.is_prewarming:
            self.prewarming[job.id] = job
            self.wake.set()
            return False
        self.jobs[job.id] = job
        self._publisher.tell(StateChanged(job.id, time.time(), None, job.state, name=job.name))
        if may_start and self.scheduler.start_now(job.needs):
            job.dispatched = True
        elif job.state is JobState.QUEUED:
            self._line_up(job)
        for other in {*job.after, *job.after_any}:
            if other.state.is_terminal:
                self._ended.append((other, [job]))
                self.wake.set()
            else:
                self._hanging.setdefault(other.id, []).append(job)
        return job.dispatched

    @property
    def has_to_start(self) -> bool:
        """Whether there may be something for whoever starts jobs to do."""
        return bool(self.scheduler) or bool(self._ended) or bool(self.prewarming)

    def _line_up(self, job: Job) -> None:
        self.scheduler.add(
            Waiting(job.id, job.priority, job.order, job.needs, job.submitted, job.affinity)
        )
        # Where no worker is free, the end of a job wakes whoever starts the next.
        if self.prewarming or self.scheduler.free[WORKER] > 0:
            self.wake.set()

    def prioritise(self, job: Job, priority: int) -> None:
        """Give a job another place in line, now or when it comes to stand in it."""
        job._priority = priority
        if job.id in self.scheduler:
            self.scheduler.prioritise(job.id, priority)
            self.wake.set()
        self._publisher.tell(
            PriorityChanged(job.id, time.time(), priority), private=job.is_prewarming
        )

    def present(self, job: Job) -> list[JobEvent]:
        """Give what somebody must be told first who has heard nothing of a job yet."""
        now = time.time()
        state = StateChanged(job.id, now, None, job.state, job.message, job.name)
        if job.latest_progress is None:
            return [state]
        return [state, ProgressMade(job.id, now, job.latest_progress)]

    def note_cluster_address(self, job: Job, cluster_address: str) -> None:
        """Have the store know where a job goes before it goes: nobody must take it elsewhere."""
        if job.cluster_address == cluster_address:
            return
        job.cluster_address = cluster_address
        if self.journal is not None and job.is_durable and not job.is_prewarming:
            self.journal.keep_cluster_address(job.id, cluster_address)

    def unblock(self) -> None:
        """Queue the jobs whose dependencies have ended well; end those whose never will."""
        while self._ended:
            other, jobs = self._ended.popleft()
            for job in jobs:
                if job.state is not JobState.BLOCKED:
                    continue
                if other.state is not JobState.SUCCEEDED and other in job.after:
                    message = f"cancelled, since {other.name!r} ({other.id[:8]}), which it needs, "
                    message += "failed" if other.state is JobState.FAILED else "was cancelled"
                    self.end(job, JobState.CANCELLED, message=message)
                    continue
                job.waits_for.discard(other.id)
                if not job.waits_for:
                    self.move(job, JobState.QUEUED)
                    self._line_up(job)

    def on_message(self, job: Job, message: messages.Message) -> None:
        """Take in what a job's task tells; called from any thread."""
        with self.lock:
            if job.state.is_terminal:
                logger.debug("job %s has ended; too late: %r", job.id, message)
                return
            stopping = job.state is JobState.CANCELLING
            if job.stop_error is not None and not stopping and isinstance(message, ENDINGS):
                message = self._overrule(job, message, job.stop_error)
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
                case messages.Failed() | messages.Died() | messages.Lost() if stopping:
                    self.end(job, JobState.CANCELLED)
                case messages.Failed(error):
                    self.end(job, JobState.FAILED, error=error)
                case messages.Died(reason):
                    self._on_death(job, reason)
                case messages.Lost(reason):
                    self._on_loss(job, reason)

    @staticmethod
    def _overrule(
        job: Job, message: messages.Message, stop_error: BaseException
    ) -> messages.Failed:
        """Let a job fail that was made to stop, however its task took that."""
        if isinstance(message, messages.Succeeded):
            job.partial = message.value
        return messages.Failed(stop_error)

    def _on_cancelled(self, job: Job) -> None:
        if job.state in (JobState.RUNNING, JobState.PAUSED):
            # The task stopped of its own accord: it passes through the same states.
            self.move(job, JobState.CANCELLING)
        self.end(job, JobState.CANCELLED)

    def _on_progress(self, job: Job, progress: Progress) -> None:
        job.latest_progress = progress
        job.estimate.note(progress, job.clock.seconds(time.monotonic()))
        event = ProgressMade(job.id, time.time(), progress)
        self._publisher.tell(event, private=job.is_prewarming)

    def _on_death(self, job: Job, reason: str) -> None:
        """Let a job whose worker died be started again, in a while, where that is worth trying.

        A worker that dies before the task has begun takes no attempt away: most often it was
        killed for another's sake. It counts towards the quarantine: a task may kill the process
        that only unpickles it.
        """
        job.deaths += 1
        has_begun = job.state is not JobState.QUEUED
        another = job.attempts < job.max_attempts if has_begun else not job.is_prewarming
        if another and job.deaths >= QUARANTINE:
            reason += f"; it has taken {job.deaths} workers along, and is not started again"
        elif another and (self.closed or job.cancel_wanted):
            self._on_cancelled(job)
            return
        elif another:
            if has_begun:
                self.move(job, JobState.INTERRUPTED, reason)
            logger.info("job %s is tried again: %s", job.id[:8], reason)
            self.scheduler.give_back(job.needs)
            job.dispatched, job.handle = False, None
            wait = min(BACK_OFF * 2.0 ** (job.deaths - 1), LONGEST_BACK_OFF)
            self.agenda.add(time.monotonic() + wait, partial(self._try_again, job))
            self.wake.set()
            return
        self.end(job, JobState.FAILED, error=WorkerDiedError(reason))

    def _on_loss(self, job: Job, reason: str) -> None:
        """Try a job again whose cluster is gone, or leave it in the store for others to go on."""
        if job.state is not JobState.QUEUED and job.attempts < job.max_attempts:
            self._on_death(job, reason)
            return
        if self.journal is not None and job.is_durable and not job.is_prewarming:
            self.journal.give_away(job.id, reason)
            reason += f"; it can be gone on with: rheojobs jobs resume {job.id[:8]}"
        self.end(job, JobState.FAILED, error=WorkerDiedError(reason))

    def _try_again(self, job: Job) -> None:
        with self.lock:
            if job.state is JobState.INTERRUPTED:
                self.move(job, JobState.QUEUED)
            if job.state is JobState.QUEUED:  # else it was cancelled meanwhile
                self._line_up(job)

    def move(
        self, job: Job, state: JobState, message: str = "", first: First | None = None
    ) -> None:
        """Let a job enter a state, and tell, after `first` was called."""
        check_transition(job.state, state)
        previous, job.state = job.state, state
        self._keep_time(job)
        event = StateChanged(job.id, time.time(), previous, state, message)
        self._publisher.tell(event, private=job.is_prewarming, first=first)

    def _keep_time(self, job: Job) -> None:
        now = time.monotonic()
        if job.state is JobState.RUNNING:
            job.clock.go(now)
            if job.timeout is not None:
                at = now + job.timeout - job.clock.seconds(now)
                self.agenda.add(at, partial(self._check_time, job))
                self.wake.set()
        else:
            job.clock.stop(now)

    def _check_time(self, job: Job) -> None:
        """Stop a job that has run for as long as it may."""
        with self.lock:
            limit = job.timeout
            # A pause since then has stopped the clock, and set another time.
            if job.state is not JobState.RUNNING or limit is None or job.stop_error is not None:
                return
            if job.clock.seconds(time.monotonic()) < limit - 1e-6:
                return
            job.stop_error = JobTimeoutError(f"ran longer than the {limit:g} s it was given")
            handle = job.handle
        if handle is not None:  # None while it is only just starting: the starter looks after it
            handle.cancel()

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
            self.scheduler.give_back(job.needs)
        self.scheduler.remove(job.id)
        job.result_or_ref = result
        job.handle = None
        job.checkpoint = None
        leftover = self._leftover(job) if state is JobState.SUCCEEDED else None
        if self.journal is not None and not job.is_prewarming:
            self.journal.keep_outcome(job, result, error)
            if leftover is not None:
                self.journal.note_untidied(job.id, leftover)
        self._show(job, result)
        if state is JobState.SUCCEEDED and not job.is_prewarming:
            self.durations.add(task_name(job.task), job.clock.seconds(time.monotonic()))
        cancelled = state is JobState.CANCELLED
        # The future first: whoever is told of the end may ask for the result.
        self.unsettled += 1
        settle = partial(self._settle, job, result, error, cancelled)
        self.move(job, state, job.message, settle)
        if leftover is not None:
            self.unsettled += 1
            self._publisher.call(partial(self._tidy, job, leftover))
        del self.open[job.id]
        if not job.is_kept:
            self.jobs.pop(job.id, None)
        self.prewarming.pop(job.id, None)
        if (hanging := self._hanging.pop(job.id, None)) is not None:
            self._ended.append((job, hanging))
        self.close_if_empty()
        self.idle.notify_all()
        if state is not JobState.SUCCEEDED or self.closed:
            self.wake.set()

    @staticmethod
    def _show(job: Job, result: Any = None) -> None:
        """Answer those who asked what a job has so far."""
        looks, job.pending_inspections = job.pending_inspections, []
        for look in looks:
            look.set_result(job.partial if result is None else result)

    @staticmethod
    def _leftover(job: Job) -> Leftover | None:
        """Give what a task has left that has succeeded."""
        try:
            return getattr(job.task, "leftover", None)
        except Exception:  # whatever a task's own code raises must not keep the job from ending
            logger.exception("job %s does not say what it leaves", job.id[:8])
            return None

    def _tidy(self, job: Job, leftover: Leftover) -> None:
        """Remove what a task would have gone on from: its result is kept by now."""
        try:
            if self.journal is not None and self.journal.problem:
                return  # it is not: better too much is left than too little
            leftover.tidy()
            if self.journal is not None and not job.is_prewarming:
                self.journal.note_tidied(job.id)
        finally:
            self._note_settled()

    def _settle(
        self, job: Job, result: Any, error: BaseException | None, cancelled: bool
    ) -> Callable[[], None] | None:
        """Make a job's outcome known; gives what then calls those who asked to be called."""
        if self.spill is not None and self.journal is not None and result is not None:
            # Written by now: what comes before this in the journal's line is done.
            result = job.result_or_ref = spilled(result, self.journal.store, job.id, self.spill)
        if callbacks := job.future.settle(result, error, cancelled):
            return partial(self._call_back, job, callbacks)
        self._note_settled()
        return None

    def _call_back(self, job: Job, callbacks: Iterable[Callable[[Any], object]]) -> None:
        try:
            job.future.call_back(callbacks)
        finally:
            self._note_settled()

    def _note_settled(self) -> None:
        with self.lock:
            self.unsettled -= 1
            self.idle.notify_all()
