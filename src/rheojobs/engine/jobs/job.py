"""A job: a task with an identity, a state and a future.

Only its engine changes a job.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import threading
import time
import uuid
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.events import JobEvent, Progress, StateChanged
from rheojobs.engine.jobs.running_clock import RunningClock
from rheojobs.engine.policy.eta import Remaining, TimeRemaining
from rheojobs.engine.states import JobState
from rheojobs.engine.store.spilling import resolved
from rheojobs.engine.task import Task, task_affinity, task_name
from rheojobs.engine.validation import storable_text
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.engine.cancellation import CancellationToken
    from rheojobs.engine.executors.base import RunHandle
    from rheojobs.engine.policy.retry import RetryPolicy
    from rheojobs.engine.timers import Timer

__all__ = ["Job", "JobFuture", "JobOwner", "jobs_of"]

logger = logging.getLogger(__name__)

NO_STORE = "its engine has no store"
"""Why a job is not on disk, if there is no other reason."""


class JobOwner(Protocol):
    """The methods of `JobEngine` that a job calls."""

    def cancel(self, job: Job) -> bool: ...

    def pause(self, job: Job) -> bool: ...

    def resume(self, job: Job) -> bool: ...

    def set_priority(self, job: Job, priority: int) -> bool: ...

    def inspect(self, job: Job, timeout: float | None = None) -> Any: ...

    def forget(self, job: Job) -> None: ...

    def time_remaining(self, job: Job) -> Remaining | None: ...

    def events(self, *, job: Job | None = None) -> AsyncGenerator[JobEvent]: ...


class JobFuture(concurrent.futures.Future[Any]):
    """The job's result as a standard future; `cancel` stops a running job too.

    Threads that wait for it are woken when it is settled; callbacks are called a little later, on
    threads of their own, so that a slow one delays nothing else.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        # Weak: else job and future would form a cycle, and the result would stay in memory until
        # the garbage collector runs. The engine holds a job that has not ended.
        self._job = weakref.ref(job)
        self._callbacks: list[Callable[[Self], object]] | None = []

    def cancel(self) -> bool:
        """Ask the job to stop; True if it was not done yet."""
        job = self._job()
        return job is not None and job.cancel()

    def running(self) -> bool:
        """Return whether the job is running."""
        job = self._job()
        return job is not None and job.running()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result; a spilled one is read from the store."""
        return resolved(super().result(timeout))

    def add_done_callback(self, fn: Callable[[Self], object]) -> None:
        """Call `fn` with this future when it is done, or now if it is."""
        with _CALLBACKS:
            if self._callbacks is not None:
                self._callbacks.append(fn)
                return
        self._call(fn)

    def settle(
        self, result: Any, error: BaseException | None, cancelled: bool
    ) -> list[Callable[[Self], object]]:
        """Set the outcome, once; return the callbacks, which the engine must call."""
        if cancelled:
            super().cancel()
            self.set_running_or_notify_cancel()
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(result)
        with _CALLBACKS:
            callbacks, self._callbacks = self._callbacks or [], None
        return callbacks

    def call_back(self, callbacks: Iterable[Callable[[Self], object]]) -> None:
        """Call the callbacks that `settle` returned."""
        for callback in callbacks:
            self._call(callback)

    def _call(self, callback: Callable[[Self], object]) -> None:
        try:
            callback(self)
        except Exception:  # logged, as the standard library does
            logger.exception("a callback of %r failed", self._job())


_CALLBACKS = threading.Lock()
"""Guards the callbacks of all futures."""


class Job:
    """A submitted task, with the methods of `concurrent.futures.Future`; it can be awaited.

    Attributes
    ----------
    id : str
        A UUID4.
    name : str
        The name for display.
    task : Task
        The work.
    priority : int
        Higher runs first; may be changed until the job has ended.
    after, after_any : tuple of Job
        The jobs that must succeed, and those that must only have ended, before this one
        starts. They are fixed at submission: a job can only depend on older ones, so there are
        no cycles.
    tags : tuple of str
        The tags under which the engine's limits count it.
    timeout : float or None
        Seconds that it may run, pauses not counted.
    memory : int or None
        Memory limit of its worker, in bytes.
    cluster_address : str
        The cluster that it was sent to, where it may outlive this process; else empty.
    state : JobState
        The present state.
    latest_progress : Progress or None
        The newest progress.
    partial : object
        The newest partial result, or None. It remains when the job is cancelled or fails.
    message : str
        Why the job failed or was cancelled; may be empty.
    attempts : int
        How many times the task was started.
    not_durable_because : str
        Why the job cannot be run again after its application has ended; empty if it can.
    result_not_kept_because : str
        Why the result is only in memory though the engine has a store; empty otherwise.
    retry : RetryPolicy or None
        Which errors of the task start it again.
    not_before : float or None
        The time (seconds since the epoch) before which it does not start.
    """

    def __init__(
        self,
        engine: JobOwner,
        task: Task,
        *,
        name: str | None,
        priority: int,
        needs: Mapping[str, float],
        max_attempts: int,
        order: int,
        after: tuple[Job, ...] = (),
        after_any: tuple[Job, ...] = (),
        tags: tuple[str, ...] = (),
        timeout: float | None = None,
        memory: int | None = None,
        is_prewarming: bool = False,
        retry: RetryPolicy | None = None,
        not_before: float | None = None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.task = task
        self.task_name = _user_text(task_name, task) or type(task).__name__
        self.name = storable_text(name) if name else self.task_name
        self._priority = priority
        self._after = after
        self._after_any = after_any
        self.tags = tags
        self.timeout = timeout
        self.memory = memory
        self.cluster_address = ""
        self.needs = needs
        self.max_attempts = max_attempts
        self.order = order
        self.state = JobState.BLOCKED if after or after_any else JobState.QUEUED
        self.latest_progress: Progress | None = None
        self.partial: Any = None
        self.message = ""
        self.attempts = 0
        self.not_durable_because = NO_STORE
        self.result_not_kept_because = ""
        self.retry = retry
        self.not_before = not_before
        self.future = JobFuture(self)
        # The following attributes are for the engine.
        self.token: CancellationToken | None = None
        self.forget_token: Callable[[], None] | None = None
        self.attempt: object = None  # the present one; messages of others are dropped
        self.handle: RunHandle | None = None
        self.timers: list[Timer] = []  # of its time limit, and of its next start
        self.is_light = False
        self.waits_for = {job.id for job in (*after, *after_any)}
        self.result_or_ref: Any = None
        self.estimate = TimeRemaining()
        self.submitted = time.time()
        self.clock = RunningClock()
        self.stop_error: BaseException | None = None
        self.deaths = 0
        self.held_by_queue = False
        self.affinity = _user_text(task_affinity, task)
        self.dispatched = False
        self.cancel_wanted = False
        self.pause_wanted = False
        self.checkpoint: bytes | None = None
        self.is_prewarming = is_prewarming
        self.is_kept = True
        self.pending_inspections: list[concurrent.futures.Future[Any]] = []
        self._engine = engine

    @property
    def seconds(self) -> float:
        """Seconds that the job has run so far, over all attempts and without pauses."""
        return self.clock.seconds(time.monotonic())

    @property
    def is_durable(self) -> bool:
        """Whether the job can be run again after its application has ended."""
        return not self.not_durable_because

    def __repr__(self) -> str:
        return f"<Job {self.name!r} {self.id[:8]} {self.state}>"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from rheojobs.engine.jobs.job_html import job_html  # late: only notebooks ask for it

        return job_html(self)

    @property
    def priority(self) -> int:
        """Higher runs first."""
        return self._priority

    @priority.setter
    def priority(self, priority: int) -> None:
        if not self._engine.set_priority(self, priority):
            raise InputError(f"{self.name!r} has ended: its priority cannot be changed any more")

    @property
    def after(self) -> tuple[Job, ...]:
        """The jobs that must succeed before this one starts."""
        return self._after

    @property
    def after_any(self) -> tuple[Job, ...]:
        """The jobs that must have ended, successfully or not, before this one starts."""
        return self._after_any

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result; raises what the task raised, or `CancelledError`."""
        return self.future.result(timeout)

    def result_or_partial(
        self, token: CancellationToken | None = None, timeout: float | None = None
    ) -> tuple[Any, bool]:
        """Wait for the result, or for the partial result if the job is cancelled.

        Parameters
        ----------
        token : CancellationToken, optional
            Cancels the job when it is cancelled.
        timeout : float, optional
            Seconds to wait.

        Returns
        -------
        object, bool
            The result, and whether it is partial.

        Raises
        ------
        CancellationError
            If the job was cancelled without a partial result.
        """
        forget = token.on_cancel(self.cancel) if token is not None else None
        try:
            return self.result(timeout), False
        except concurrent.futures.CancelledError:
            if self.partial is None:
                raise CancellationError from None
            return self.partial, True
        finally:
            if forget is not None:
                forget()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end and return the task's error, None if it succeeded."""
        return self.future.exception(timeout)

    def done(self) -> bool:
        """Return whether the job has ended."""
        return self.future.done()

    def running(self) -> bool:
        """Return whether the job is running, paused or stopping."""
        return self.state in (JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING)

    def cancelled(self) -> bool:
        """Return whether the job was cancelled and has ended."""
        return self.future.cancelled()

    def add_done_callback(self, fn: Callable[[Job], object]) -> None:
        """Call `fn` with this job when it has ended, at once if it already has."""
        self.future.add_done_callback(lambda _: fn(self))

    def cancel(self) -> bool:
        """Ask the job to stop and return at once; False if it had ended already."""
        return self._engine.cancel(self)

    def pause(self) -> bool:
        """Pause a running job at its next `check`; False if it does not run."""
        return self._engine.pause(self)

    def resume(self) -> bool:
        """Resume a paused job; False if it does not run."""
        return self._engine.resume(self)

    def time_remaining(self) -> Remaining | None:
        """Return an estimate of the time that the job, or its present stage, still needs.

        It follows from the progress; before there is any, from the durations of earlier jobs of
        the same kind. None if there is neither, and when the job has ended.
        """
        return self._engine.time_remaining(self)

    def inspect(self, timeout: float | None = None) -> Any:
        """Return the present result, such as the posterior of the draws so far, or None."""
        return self._engine.inspect(self, timeout)

    def forget(self) -> None:
        """Remove the job from its engine's list, once it has ended, so that its result is freed."""
        self._engine.forget(self)

    def __await__(self) -> Generator[Any, None, Any]:
        import asyncio  # late: it takes longer to load than the engine, and few await a job

        return resolved((yield from asyncio.wrap_future(self.future).__await__()))

    async def events(self) -> AsyncGenerator[JobEvent]:
        """Yield the events of this job, the present state first, until it has ended."""
        async with contextlib.aclosing(self._engine.events(job=self)) as events:
            async for event in events:
                yield event
                if isinstance(event, StateChanged) and event.state.is_terminal:
                    return


def jobs_of(engine: JobOwner, jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return jobs without duplicates; raise `InputError` if one is not a job of the engine."""
    found = tuple(dict.fromkeys(jobs))
    for job in found:
        if not isinstance(job, Job) or job._engine is not engine:
            raise InputError(f"after takes jobs of this engine, got {job!r}")
    return found


def _user_text(ask: Callable[[Task], str], task: Task) -> str:
    """Return a text that a task provides; empty if its code raises.

    Validation or the worker will raise the same error, and the job fails with that.
    """
    try:
        return storable_text(ask(task))
    except Exception:
        logger.debug("a task cannot describe itself", exc_info=True)
        return ""
