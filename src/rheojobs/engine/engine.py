"""The job engine: accepts tasks, runs them as jobs on an executor, and publishes events.

Each subscriber is called on a thread of its own, so that a slow one delays neither the jobs nor the
caller of `submit` or `cancel`.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import itertools
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.delivery.event_bus import EventBus
from rheojobs.engine.delivery.mailboxes import Caller, Listener, Subscriber, TakesEvents
from rheojobs.engine.dependencies import results_wanted
from rheojobs.engine.dispatcher import Dispatcher, is_light
from rheojobs.engine.events import JobEvent
from rheojobs.engine.executors import Executor, make_executor
from rheojobs.engine.job import Job
from rheojobs.engine.job_registry import JobRegistry
from rheojobs.engine.lifecycle.admission import Admission
from rheojobs.engine.lifecycle.closing import Closing
from rheojobs.engine.lifecycle.moving import move_jobs
from rheojobs.engine.policy.eta import Durations, Remaining
from rheojobs.engine.policy.retry import RetryPolicy
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.recovery import revive, waiting_jobs
from rheojobs.engine.sizes import parse_bytes
from rheojobs.engine.states import JobState
from rheojobs.engine.stdlib_executor import EngineExecutor
from rheojobs.engine.store import JobStore, StoredJob
from rheojobs.engine.store.commands import requested_priority
from rheojobs.engine.store.writer import open_recorder
from rheojobs.engine.task import FunctionTask, Task, as_task
from rheojobs.engine.validation import (
    check_attempts,
    check_memory,
    check_not_before,
    check_priority,
    check_tags,
    check_timeout,
    needs_of,
    total_resources,
)
from rheojobs.errors import InputError

__all__ = ["JobEngine"]

logger = logging.getLogger(__name__)


class JobEngine:
    """Runs tasks in the background.

    Parameters
    ----------
    executor : {"processes", "threads"} or Executor
        Where the tasks run.
    max_workers : int, optional
        How many run at a time, by default 4. Not with an executor object.
    preload : sequence of str
        Functions ``"package.module:function"`` that each worker process calls before it is
        ready to take a task, mostly for imports. A generator function runs up to its first
        `yield` then, and further when the worker is idle.
    resources : mapping, optional
        The totals of other resources that jobs may need, such as
        ``{"memory": "16 GiB", "gpu": 1}``.
    limits : mapping, optional
        How many jobs with a tag may run at a time, such as ``{"gpu-heavy": 2}``.
    store : JobStore or path, optional
        The store of the jobs on disk; without it, they are only in memory. A store that cannot be
        opened raises no error: `store_problem` is the reason, and the jobs are only in memory.
    spill : float or str, optional
        Results that take more bytes than this in the store, such as ``"100 kB"``, are not held in
        memory, but read from the store on demand, which allows thousands of jobs. A
        `BayesianResult` that was read from the store cannot be extended.

    Examples
    --------
    >>> with JobEngine("threads") as engine:
    ...     engine.submit(lambda: 6 * 7).result()
    42
    """

    def __init__(
        self,
        executor: str | Executor = "processes",
        *,
        max_workers: int | None = None,
        preload: Iterable[str] = (),
        resources: Mapping[str, float | str] | None = None,
        limits: Mapping[str, int] | None = None,
        store: JobStore | str | Path | None = None,
        spill: float | str | None = None,
    ) -> None:
        total_resources(1, resources, limits)  # before anything is opened that must be closed
        least = None if spill is None else parse_bytes(spill)
        # The store first: if it is refused, no worker process has been started.
        self._bus = EventBus()
        try:
            self._recorder = open_recorder(store, self._bus, self._on_request, least)
        except BaseException:
            self._bus.close()
            raise
        try:
            self._executor = make_executor(executor, max_workers, tuple(preload))
            there = {**self._executor.resources(), **(resources or {})}
            total = total_resources(self._executor.capacity, there, limits)
        except BaseException:
            self._recorder.close()
            raise
        self._table = JobRegistry(self._recorder, total)
        self._given = frozenset(resources or {})
        self._executor.on_growth = self._on_growth
        self._order = itertools.count()
        self._dispatcher = Dispatcher(self._table, self._executor, self._recorder)
        parts = self._table, self._dispatcher, self._recorder
        self._admission, self._closing = Admission(*parts), Closing(*parts)
        atexit.register(_shut_down_at_exit, weakref.ref(self))

    def __enter__(self) -> JobEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()

    # ---------------------------------------------------------------- what users call

    @property
    def durations(self) -> Durations:
        """Durations of earlier jobs of each kind (the task's name); known ones may be added."""
        return self._table.durations

    @property
    def executor(self) -> Executor:
        """The executor on which the tasks run."""
        return self._executor

    @property
    def store(self) -> JobStore | None:
        """The store of the jobs on disk; None if they are only in memory."""
        return cast(JobStore | None, self._recorder.store)

    @property
    def store_problem(self) -> str:
        """Why the jobs are not stored at present, though they should be; else empty."""
        return self._recorder.problem

    def submit(
        self,
        task: Task | Callable[..., Any],
        *,
        priority: int = 0,
        after: Iterable[Job] = (),
        resources: Mapping[str, float | str] | None = None,
        name: str | None = None,
        cancel_token: CancellationToken | None = None,
        max_attempts: int | None = None,
        after_any: Iterable[Job] = (),
        tags: Iterable[str] = (),
        timeout: float | None = None,
        memory: str | float | None = None,
        retry: RetryPolicy | None = None,
        not_before: datetime | float | None = None,
    ) -> Job:
        """Submit a task and return its job at once; with a store, the job is on disk then.

        Parameters
        ----------
        task : Task or callable
            The work. The job of a task that does not pass validation fails without being sent to a
            worker. The task may contain results of other jobs: `ResultOf`.
        priority : int
            Higher runs first; one level is worth ten minutes of waiting, so that no job waits for
            ever.
        after : iterable of Job
            Jobs that must succeed first; if one does not, this job is cancelled.
        resources : mapping, optional
            The resources of the engine that the job takes while it runs.
        name : str, optional
            The name for display.
        cancel_token : CancellationToken, optional
            Cancels the job when it is cancelled; receives the error if the job fails.
        max_attempts : int, optional
            How often the task is started if its worker process dies, by default what the task
            specifies, else once. A worker that dies before the task begins does not count. A job
            whose worker has died three times is only started again on request (`resume_job`).
        after_any : iterable of Job
            Jobs that must have ended first, successfully or not.
        tags : iterable of str
            The tags under which the engine's `limits` count the job.
        timeout : float, optional
            Seconds that the job may run, without pauses. Then it is asked to stop, forced to if the
            executor can, and fails. Its partial result is stored.
        memory : str or float, optional
            Memory limit of the worker, including its children and imports, such as ``"2 GiB"``: a
            job that exceeds it fails. If the engine has the resource "memory", the job starts only
            when so much of it is free.
        retry : RetryPolicy, optional
            Which errors of the task start it again, how often and after how long; it continues
            from its last checkpoint. By default an error ends the job.
        not_before : datetime or float, optional
            The earliest start of the job, such as tonight: a `datetime`, or seconds since the
            epoch.

        Raises
        ------
        EngineClosedError
            After `shutdown`.
        InputError
            If the engine does not have a resource, `after` contains anything but jobs of this
            engine, or an option is invalid.
        """
        work = as_task(task)
        wanted = results_wanted(work)
        after = tuple(dict.fromkeys((*after, *(found.job for found in wanted))))
        after_any = tuple(dict.fromkeys(after_any))
        for other in (*after, *after_any):
            if not isinstance(other, Job) or other._engine is not self:
                raise InputError(f"after takes jobs of this engine, got {other!r}")
        tags = check_tags(tags)
        cap = None if memory is None else parse_bytes(memory)
        check_memory(cap, self._executor.limits_memory)
        needs = needs_of(resources or {}, self._table.scheduler.total, tags, cap)
        timeout = check_timeout(timeout)
        priority = check_priority(priority)
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise InputError(f"retry takes a RetryPolicy, got {retry!r}")
        if max_attempts is None:
            max_attempts = getattr(work, "max_attempts", 1)
        job = Job(
            self,
            work,
            name=name,
            priority=priority,
            needs=needs,
            max_attempts=check_attempts(max_attempts),
            order=next(self._order),
            after=after,
            after_any=after_any,
            tags=tags,
            timeout=timeout,
            memory=cap,
            retry=retry,
            not_before=check_not_before(not_before),
        )
        job.is_light = not wanted and not after and is_light(work)
        self._admission.admit(job, cancel_token, waits=bool(wanted))
        return job

    def recover(self) -> list[StoredJob]:
        """Return the jobs of the store whose application has ended without finishing them.

        The queued ones have not begun, the interrupted ones continue from their checkpoint if they
        have one. `resume_job` resumes one, `take_queued` takes all that have not begun.
        """
        return [] if self.store is None else waiting_jobs(self.store)

    def resume_job(self, job_id: str, *, elsewhere: bool = False) -> Job:
        """Resume a job of the store: a waiting one under its own id, an ended one as a new job.

        An ended job may be resumed if it was cancelled, or if it failed because its workers died or
        it reached a limit. It continues from its checkpoint.

        Parameters
        ----------
        job_id : str
            Its id, or a unique prefix of it.
        elsewhere : bool
            Whether to resume even a job that may still run on a cluster other than this engine's;
            the caller must make sure that it does not.

        Raises
        ------
        InputError
            If it belongs to another engine, cannot be run again, or needs a job that has not ended.
        """
        if self.store is not None:
            self.store.recover()
        return self._take_up(job_id, elsewhere)

    def _take_up(self, job_id: str, elsewhere: bool = False) -> Job:
        if self.store is None:
            raise InputError("this engine has no store to take jobs from")
        job = revive(
            self.store,
            self._recorder,
            job_id,
            self,
            self._executor,
            self._table.jobs,
            self._table.scheduler.total,
            next(self._order),
            elsewhere,
        )
        with self._table.lock:
            self._table.check_open()  # if closed, the job is free again, since the engine has left
            self._table.add(job)
        return job

    def take_queued(self, limit: int | None = None) -> list[Job]:
        """Take jobs of the store that have not begun and have no owner: all, or up to `limit`."""
        jobs: list[Job] = []
        for stored in self.recover():
            if len(jobs) == limit:
                break
            if stored.state is JobState.INTERRUPTED:
                continue
            try:
                jobs.append(self._take_up(stored.id))
            except InputError as error:  # mostly because another application was faster
                logger.info("%s", error)
        return jobs

    def prewarm(self, task: Task | Callable[..., Any]) -> Job:
        """Prepare a worker for later jobs, while there is nothing else to do.

        The returned job is hidden: it is not in `jobs`, `active_count` and `wait`, and subscribers
        to all jobs get no events of it. It is asked to stop as soon as a job is ready to start, and
        by the next call. A job of the same `affinity` waits for its worker, which prepares just
        what the job needs.

        Parameters
        ----------
        task : Task or callable
            The preparation, such as `rheojobs.PrewarmTask`; it should call `check` often.
        """
        work = as_task(task)
        with self._table.lock:
            self._table.check_open()
            before = list(self._table.prewarming.values())
            job = Job(
                self,
                work,
                name=None,
                priority=0,
                needs={WORKER: 1.0},
                max_attempts=1,
                order=next(self._order),
                is_prewarming=True,
            )
            self._table.add(job)
        for other in before:
            self.cancel(other)
        return job

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Job:
        """Submit a function with its arguments."""
        return self.submit(FunctionTask(function, args, kwargs))

    def map(self, function: Callable[..., Any], *iterables: Iterable[Any]) -> Iterator[Any]:
        """Apply a function to each item in the background, and return the results in order."""
        jobs = [self.run(function, *args) for args in zip(*iterables, strict=False)]
        return (job.result() for job in jobs)

    def as_executor(self) -> concurrent.futures.Executor:
        """Return this engine as an executor of the standard library."""
        return EngineExecutor(self.run)

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

    def set_priority(self, job: Job, priority: int) -> bool:
        """Change the priority of a job; False if it has ended."""
        priority = check_priority(priority)
        with self._table.lock:
            if job.state.is_terminal:
                return False
            self._table.prioritise(job, priority)
        return True

    def time_remaining(self, job: Job) -> Remaining | None:
        """Return an estimate of the time that a job still needs: `Job.time_remaining`."""
        now = time.monotonic()
        with self._table.lock:
            if job.state.is_terminal:
                return None
            if (left := job.estimate.left(job.clock.seconds(now))) is not None:
                return left
            return self.durations.left(job.task_name, job.clock.seconds(now))

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

    def move_to(self, executor: Executor, timeout: float = 5.0) -> None:
        """Run all waiting and future jobs on another executor.

        The engine shuts down the previous executor now, and the new one when it is shut down.

        Parameters
        ----------
        executor : Executor
            The new executor.
        timeout : float
            Seconds to wait for prewarming jobs, and for the end of the previous executor.

        Raises
        ------
        InputError
            If a job runs, or a waiting one needs more than there is; then nothing has changed.
        EngineClosedError
            After `shutdown`.
        """
        move_jobs(
            self._table, self._dispatcher, executor, lambda: self._provided(executor), timeout
        )
        before, self._executor = self._executor, executor
        before.on_growth, executor.on_growth = Executor.on_growth, self._on_growth
        if not before.shutdown(timeout):
            logger.warning("the previous executor has not ended within %g s", timeout)

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

    def shutdown(self, wait: bool = True, timeout: float = 5.0, *, leave: bool = False) -> bool:
        """Accept no more jobs, cancel all jobs, and end all threads and processes.

        Parameters
        ----------
        wait : bool
            Whether to wait for the end; if not, it happens in the background.
        timeout : float
            Seconds to wait.
        leave : bool
            Whether jobs that can be run again stay in the store for `recover`: running ones are
            stopped here, and interrupted there. All others are cancelled.

        Returns
        -------
        bool
            Whether everything has ended. The method may be called again.
        """
        return self._closing.close(self._executor, wait=wait, timeout=timeout, leave=leave)

    # ---------------------------------------------------------------- inside

    def _provided(self, executor: Executor) -> dict[str, float]:
        """Return an executor's totals of the resources that it, or the present one, provides."""
        has = {**executor.resources(), WORKER: float(executor.capacity)}
        names = (self._executor.resources().keys() | has.keys()) - self._given
        return {name: has.get(name, 0.0) for name in names}

    def _on_growth(self, more: Mapping[str, float]) -> None:
        """Add the resources of new workers, except for those whose totals the user has set."""
        with self._table.lock:
            self._table.scheduler.grow({n: more[n] for n in more if n not in self._given})
        self._table.wake.set()

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


def _shut_down_at_exit(reference: weakref.ref[JobEngine]) -> None:
    engine = reference()
    if engine is not None:
        engine.shutdown(timeout=2.0)
