"""The job engine: accepts tasks, runs them as jobs on an executor, and publishes events.

Each subscriber is called on a thread of its own, so that a slow one delays neither the jobs nor the
caller of `submit` or `cancel`.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.controls import JobControls
from rheojobs.engine.delivery.event_bus import EventBus
from rheojobs.engine.executors import Executor, make_executor
from rheojobs.engine.jobs.dependencies import results_wanted
from rheojobs.engine.jobs.dispatcher import Dispatcher, is_light
from rheojobs.engine.jobs.job import Job, jobs_of
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.jobs.recovery import revive, waiting_jobs
from rheojobs.engine.lifecycle.admission import Admission
from rheojobs.engine.lifecycle.closing import Closing, shut_down_at_exit
from rheojobs.engine.lifecycle.moving import move_jobs
from rheojobs.engine.policy.retry import RetryPolicy
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.sizes import parse_bytes
from rheojobs.engine.states import JobState
from rheojobs.engine.stdlib_executor import EngineExecutor
from rheojobs.engine.store import JobStore, StoredJob
from rheojobs.engine.store.writing.writer import open_recorder
from rheojobs.engine.task import FunctionTask, Task, as_task
from rheojobs.engine.validation import (
    check_attempts,
    check_memory,
    check_not_before,
    check_priority,
    check_retry,
    check_tags,
    check_timeout,
    needs_of,
    total_resources,
)
from rheojobs.errors import InputError

__all__ = ["JobEngine"]

logger = logging.getLogger(__name__)


class JobEngine(JobControls):
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
        bus = EventBus()
        try:
            self._recorder = open_recorder(store, bus, self._on_request, least)
        except BaseException:
            bus.close()
            raise
        try:
            self._executor = make_executor(executor, max_workers, tuple(preload))
            there = {**self._executor.resources(), **(resources or {})}
            total = total_resources(self._executor.capacity, there, limits)
        except BaseException:
            self._recorder.close()
            raise
        table = JobRegistry(self._recorder, total)
        super().__init__(table, bus, Dispatcher(table, self._executor, self._recorder))
        self._given = frozenset(resources or {})
        self._executor.on_growth = self._on_growth
        self._order = itertools.count()
        parts = self._table, self._dispatcher, self._recorder
        self._admission, self._closing = Admission(*parts), Closing(*parts)
        shut_down_at_exit(self)

    def __enter__(self) -> JobEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()

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
        after = jobs_of(self, [*after, *(found.job for found in wanted)])
        after_any = jobs_of(self, after_any)
        tags = check_tags(tags)
        cap = None if memory is None else parse_bytes(memory)
        check_memory(cap, self._executor.limits_memory)
        needs = needs_of(resources or {}, self._table.scheduler.total, tags, cap)
        if max_attempts is None:
            max_attempts = getattr(work, "max_attempts", 1)
        job = Job(
            self,
            work,
            name=name,
            priority=check_priority(priority),
            needs=needs,
            max_attempts=check_attempts(max_attempts),
            order=next(self._order),
            after=after,
            after_any=after_any,
            tags=tags,
            timeout=check_timeout(timeout),
            memory=cap,
            retry=check_retry(retry),
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
        parts = self._table, self._dispatcher
        move_jobs(*parts, self._executor, executor, self._given, timeout)
        before, self._executor = self._executor, executor
        before.on_growth, executor.on_growth = Executor.on_growth, self._on_growth
        if not before.shutdown(timeout):
            logger.warning("the previous executor has not ended within %g s", timeout)

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

    def _on_growth(self, more: Mapping[str, float]) -> None:
        """Add the resources of new workers, except for those whose totals the user has set."""
        with self._table.lock:
            self._table.scheduler.grow({n: more[n] for n in more if n not in self._given})
        self._table.wake.set()
