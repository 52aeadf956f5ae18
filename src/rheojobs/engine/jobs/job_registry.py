"""The jobs of an engine, and all changes of their states, under one lock.

No user code runs while the lock is held.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from rheojobs.engine.errors import EngineClosedError, JobTimeoutError
from rheojobs.engine.events import (
    JobEvent,
    PriorityChanged,
    ProgressMade,
    StateChanged,
)
from rheojobs.engine.executors.base import RunHandle
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.settlement import Settlement
from rheojobs.engine.policy.eta import Durations
from rheojobs.engine.policy.scheduler import WORKER, Scheduler, Waiting
from rheojobs.engine.recorder import Recorder
from rheojobs.engine.states import JobState, check_transition
from rheojobs.engine.timers import Timers
from rheojobs.errors import RheojobsError, one_line

__all__ = ["JobRegistry"]

logger = logging.getLogger(__name__)

LONGEST_SLEEP = 30.0
"""Seconds after which the wall clock is read again for a job with a start time, since the clock of
the timers stops while the machine sleeps."""

Then = Callable[[], object] | None


class JobRegistry:
    """All known jobs, those that have not ended, and the free resources.

    Parameters
    ----------
    recorder : Recorder
        Records and publishes every change.
    total : mapping
        The total of each resource.

    Attributes
    ----------
    lock : RLock
        Guards everything here; held while a job changes.
    idle : Condition
        Notified when a job has ended.
    wake : Event
        Set when a job may start; not by a result, as the thread that delivers it starts the next
        job itself.
    scheduler : Scheduler
        The jobs that wait for their turn, and the free resources.
    timers : Timers
        Actions that are due later.
    durations : Durations
        Durations of successful jobs.
    jobs, open, prewarming : dict of str to Job
        By id: all jobs that were not forgotten, those that have not ended, and of these the
        prewarming ones.
    closed : bool
        Whether no more jobs are accepted.
    arriving : int
        The number of jobs that were admitted, and are being recorded before they are added.
    """

    def __init__(self, recorder: Recorder, total: Mapping[str, float]) -> None:
        self._recorder = recorder
        self.scheduler = Scheduler(total)
        self.timers = Timers()
        self.durations = Durations()
        self.lock = threading.RLock()
        self.idle = threading.Condition(self.lock)
        self.wake = threading.Event()
        self.jobs: dict[str, Job] = {}
        self.open: dict[str, Job] = {}
        self.prewarming: dict[str, Job] = {}
        self._dependants: dict[str, list[Job]] = {}
        self._ended: deque[tuple[Job, list[Job]]] = deque()
        self._settlement = Settlement(recorder, self._note_settled)
        self._unsettled = 0
        self.closed = False
        self.arriving = 0

    # ---------------------------------------------------------------- coming

    def check_open(self) -> None:
        """Raise `EngineClosedError` if no more jobs are accepted; called with the lock held."""
        if self.closed:
            raise EngineClosedError("this engine was shut down and accepts no more jobs")

    def admit(self) -> None:
        """Admit a job that will be added a little later, even if the table is closed by then."""
        with self.lock:
            self.check_open()
            self.arriving += 1

    def leave_door(self, job: Job) -> None:
        """End what `admit` began: the job has been added, or will not be."""
        with self.lock:
            self.arriving -= 1
            self.close_if_empty()

    def add(self, job: Job, *, may_start: bool = False) -> bool:
        """Add a new job, which waits for its turn, for other jobs, or for its start time.

        Returns whether the caller must start it now: if it `may_start`, and no other job comes
        first.
        """
        self.open[job.id] = job
        if job.is_prewarming:
            self.prewarming[job.id] = job
            self.wake.set()
            return False
        self.jobs[job.id] = job
        self._recorder.publish(StateChanged(job.id, time.time(), None, job.state, name=job.name))
        if may_start and self.scheduler.start_now(job.needs):
            job.dispatched = True
        elif job.state is JobState.QUEUED:
            self.line_up(job)
        for other in {*job.after, *job.after_any}:
            if other.state.is_terminal:
                self._ended.append((other, [job]))
                self.wake.set()
            else:
                self._dependants.setdefault(other.id, []).append(job)
        return job.dispatched

    def line_up(self, job: Job) -> None:
        if job.not_before is not None and (wait := job.not_before - time.time()) > 0:
            self.call_later(job, min(wait, LONGEST_SLEEP), self._line_up_in_time)
            return
        now = time.monotonic()
        since = now - max(0.0, time.time() - job.submitted)  # the wall clock may be set meanwhile
        self.scheduler.add(Waiting(job.id, job.priority, job.order, job.needs, since, job.affinity))
        # If no worker is free, the end of a job wakes the thread that starts the next.
        if self.prewarming or self.scheduler.free[WORKER] > 0:
            self.wake.set()

    def _line_up_in_time(self, job: Job) -> None:
        if job.state is JobState.QUEUED:
            self.line_up(job)

    def call_later(self, job: Job, seconds: float, action: Callable[[Job], Then]) -> None:
        """Call an action with a job later, under the lock, unless the job has ended before.

        A function that the action returns is called then, without the lock.
        """

        def act() -> None:
            with self.lock:
                then = None if job.state.is_terminal else action(job)
            if then is not None:
                then()

        job.timers = [timer for timer in job.timers if not timer.is_cancelled]
        job.timers.append(self.timers.add(time.monotonic() + seconds, act))
        self.wake.set()

    def unblock(self) -> None:
        """Queue the jobs whose dependencies have succeeded, and cancel those whose failed."""
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
                    self.line_up(job)

    # ---------------------------------------------------------------- asking

    @property
    def has_to_start(self) -> bool:
        """Whether there may be a job to start."""
        return bool(self.scheduler) or bool(self._ended) or bool(self.prewarming)

    def active_count(self) -> int:
        """Return how many jobs have not ended."""
        with self.lock:
            return len(self.open) - len(self.prewarming)

    def wait(self, timeout: float | None) -> bool:
        """Wait until every job has ended and is `done`; False after `timeout` seconds."""
        # The threads that settle jobs and call callbacks must not wait for themselves.
        settling = self._settlement.is_here()
        with self.idle:
            return self.idle.wait_for(
                lambda: not self.active_count() and (settling or not self._unsettled), timeout
            )

    def present(self, job: Job) -> list[JobEvent]:
        """Return the events that describe the present state of a job to a new subscriber."""
        now = time.time()
        state = StateChanged(job.id, now, None, job.state, job.message, job.name)
        if job.latest_progress is None:
            return [state]
        return [state, ProgressMade(job.id, now, job.latest_progress)]

    # ---------------------------------------------------------------- changing

    def prioritise(self, job: Job, priority: int) -> None:
        """Change the priority of a job, in the queue or before it is queued."""
        job._priority = priority
        if job.id in self.scheduler:
            self.scheduler.prioritise(job.id, priority)
            self.wake.set()
        event = PriorityChanged(job.id, time.time(), priority)
        self._recorder.publish(event, private=job.is_prewarming)

    def note_attempt(self, job: Job, attempt: object, cluster_address: str) -> None:
        """Note that an attempt is about to start, and on which cluster, for other engines."""
        with self.lock:
            job.attempt = attempt
        if job.cluster_address != cluster_address:
            job.cluster_address = cluster_address
            if job.is_durable and not job.is_prewarming:
                self._recorder.keep_cluster_address(job.id, cluster_address)

    def note_handle(self, job: Job, attempt: object, handle: RunHandle) -> bool:
        """Store the handle of an attempt; False if the attempt has ended already."""
        with self.lock:
            if job.attempt is not attempt:
                return False
            job.handle = handle
            return True

    # ---------------------------------------------------------------- states

    def move(self, job: Job, state: JobState, message: str = "") -> None:
        """Change the state of a job to one that is not terminal."""
        event = self._enter(job, state, message)
        self._recorder.publish(event, private=job.is_prewarming)

    def _enter(self, job: Job, state: JobState, message: str) -> StateChanged:
        check_transition(job.state, state)
        previous, job.state = job.state, state
        self._keep_time(job)
        return StateChanged(job.id, time.time(), previous, state, message)

    def _keep_time(self, job: Job) -> None:
        now = time.monotonic()
        if job.state is JobState.RUNNING:
            job.clock.go(now)
            if job.timeout is not None:
                self.call_later(job, job.timeout - job.clock.seconds(now), self._check_time)
        else:
            job.clock.stop(now)

    def _check_time(self, job: Job) -> Then:
        """Stop a job that has exceeded its time limit."""
        limit = job.timeout
        # A pause since then has stopped the clock, and its end has set another timer.
        if job.state is not JobState.RUNNING or limit is None or job.stop_error is not None:
            return None
        if job.clock.seconds(time.monotonic()) < limit - 1e-6:
            return None
        job.stop_error = JobTimeoutError(f"ran longer than the {limit:g} s it was given")
        # Without a handle it is just starting, and the dispatcher stops it.
        return None if job.handle is None else job.handle.cancel

    def end(
        self,
        job: Job,
        state: JobState,
        *,
        result: Any = None,
        error: BaseException | None = None,
        message: str = "",
    ) -> None:
        """Change the state of a job to a terminal one, release its resources, and settle it."""
        check_transition(job.state, state)  # before any resource is released
        job.message = one_line(error) if error is not None and not message else message
        if error is not None and job.token is not None:
            job.token.set_error(error)
        if job.forget_token is not None:
            job.forget_token()
        if job.dispatched:
            self.scheduler.give_back(job.needs)
        self.scheduler.remove(job.id)
        for timer in job.timers:
            timer.cancel()
        job.result_or_ref = result
        job.handle = job.attempt = job.checkpoint = None
        has_succeeded = state is JobState.SUCCEEDED
        self.answer_inspections(job, result)
        if has_succeeded and not job.is_prewarming:
            self.durations.add(job.task_name, job.clock.seconds(time.monotonic()))
        self._unsettled += 2  # so that none of them closes the engine before the table is updated
        event = self._enter(job, state, job.message)
        pieces = self._settlement.begin(job, event, error)
        self._unsettled += pieces - 2  # some of them may be done already
        del self.open[job.id]
        if not job.is_kept:
            self.jobs.pop(job.id, None)
        self.prewarming.pop(job.id, None)
        if (dependants := self._dependants.pop(job.id, None)) is not None:
            self._ended.append((job, dependants))
        self.close_if_empty()
        self.idle.notify_all()
        if not has_succeeded or self.closed:
            self.wake.set()

    @staticmethod
    def answer_inspections(job: Job, result: Any = None) -> None:
        """Answer the pending inspections of a job."""
        pending, job.pending_inspections = job.pending_inspections, []
        for inspection in pending:
            inspection.set_result(job.partial if result is None else result)

    def _note_settled(self) -> None:
        with self.lock:
            self._unsettled -= 1
            self.idle.notify_all()
            self.close_if_empty()

    # ---------------------------------------------------------------- the end

    def close_if_empty(self) -> None:
        """Close the recorder after the last job is settled, if no more are accepted."""
        if self.closed and not self.open and not self.arriving and not self._unsettled:
            self._recorder.close()

    def fail_all(self, reason: str) -> None:
        """Accept no more jobs, and end all jobs, because the engine itself is broken."""
        error = RheojobsError(f"the engine is broken: {reason}")
        with self.lock:
            self.closed = True
            handles = [job.handle for job in self.open.values() if job.handle is not None]
            for job in list(self.open.values()):
                if job.state in (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED):
                    self.end(job, JobState.FAILED, error=error)
                else:
                    self.end(job, JobState.CANCELLED, message=str(error))
            self.close_if_empty()
        for handle in handles:
            handle.cancel()
