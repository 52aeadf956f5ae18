"""`WorkerPool`: turns events of a `JobEngine` into Qt signals in the pool's thread.

The engine does the scheduling, the cancelling and the processes.
"""

from __future__ import annotations

import logging
import math
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rheojobs.engine import JobEngine
from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.events import JobEvent, ProgressMade, StateChanged
from rheojobs.engine.executors import Executor, ThreadExecutor
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore
from rheojobs.engine.task import FunctionTask
from rheojobs.errors import InputError
from rheojobs.inference.models.model import Model
from rheojobs.inference.readiness.prewarm import PrewarmTask
from rheojobs.inference.readiness.warm_up import PRELOAD
from rheojobs.qt.binding import QObject, QRunnable, Signal, Slot
from rheojobs.qt.deletion import when_deleted
from rheojobs.qt.runnable_task import RunnableTask
from rheojobs.qt.task_worker import TaskWorker
from rheojobs.qt.thread_gate import ThreadGate

__all__ = ["WorkerPool"]

logger = logging.getLogger(__name__)


class WorkerPool(QObject):
    """Runs workers in the background, and emits their progress and results as signals.

    Signals are delivered in the thread that owns the pool. Each job has ``job_started`` once,
    when it starts to run, then ``job_progress``, then exactly one of ``job_completed``,
    ``job_failed`` and ``job_cancelled``; a job cancelled while queued has no ``job_started``.

    Parameters
    ----------
    max_threads : int
        How many jobs run at a time.
    parent : QObject, optional
        The Qt parent.
    executor : {"processes", "threads"} or Executor
        Where fits, samplings and functions run. A plain `QRunnable` runs on a thread.
    store : JobStore or path, optional
        Where jobs are stored on disk, as in `JobEngine`.
    """

    job_started = Signal(str)
    job_progress = Signal(str, int, int, str)
    job_completed = Signal(str, object)
    job_failed = Signal(str, str)
    job_cancelled = Signal(str)
    _woken = Signal()

    def __init__(
        self,
        max_threads: int = 4,
        parent: QObject | None = None,
        *,
        executor: str | Executor = "processes",
        store: JobStore | str | Path | None = None,
    ) -> None:
        super().__init__(parent)
        if isinstance(max_threads, bool) or not isinstance(max_threads, int) or max_threads < 1:
            raise InputError(f"max_threads must be a whole number from 1 up, got {max_threads!r}")
        self._max_threads = max_threads
        if isinstance(executor, Executor):
            self._engine = JobEngine(executor, store=store)
        else:
            self._engine = JobEngine(
                executor, max_workers=max_threads, preload=PRELOAD, store=store
            )
        self._thread_engine: JobEngine | None = None
        self._local_engine: JobEngine | None = None
        self._workers: dict[str, TaskWorker] = {}
        self._started: set[str] = set()
        self._jobs: dict[str, Job] = {}
        self._gate = ThreadGate(self, self._woken, self._deliver)
        self._engine.subscribe(self._gate.put)
        # Deleted by its parent without a shutdown: the engine must not call it any more.
        when_deleted(self, _abandon, weakref.ref(self._engine))

    @property
    def engine(self) -> JobEngine:
        """The engine behind the pool."""
        return self._engine

    @property
    def local_engine(self) -> JobEngine:
        """An engine whose jobs can read this machine's files: `engine`, unless on a cluster."""
        if not self._engine.executor.cluster_address:
            return self._engine
        if self._local_engine is None:
            self._local_engine = JobEngine("processes", max_workers=1, preload=PRELOAD)
            self._local_engine.subscribe(self._gate.put)
        return self._local_engine

    def submit(self, worker: QRunnable) -> str:
        """Submit a worker and return at once.

        Parameters
        ----------
        worker : FitWorker, BayesianWorker or QRunnable
            A plain `QRunnable` may have ``signals`` and a ``cancel_token``.

        Returns
        -------
        str
            The job's id, a UUID4.
        """
        if isinstance(worker, TaskWorker):
            job = self._engine.submit(worker.task, cancel_token=worker.cancel_token)
            self._workers[job.id] = worker
        elif isinstance(worker, QRunnable):
            token = getattr(worker, "cancel_token", None)
            job = self._threads().submit(
                RunnableTask(worker),
                cancel_token=token if isinstance(token, CancellationToken) else None,
            )
        else:
            raise InputError(f"a worker is a QRunnable, got {type(worker).__name__}")
        self._jobs[job.id] = job
        return job.id

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> str:
        """Run a function in the background; return the job's id.

        A function whose first argument is named `context` gets the task's context; a generator
        function may be stopped at each `yield`.
        """
        return self._run_on(self._engine, function, args, kwargs)

    def run_here(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> str:
        """Run a function as `run` does, always where it can read this machine's files."""
        return self._run_on(self.local_engine, function, args, kwargs)

    def _run_on(self, engine: JobEngine, function: Callable[..., Any], args: Any, kw: Any) -> str:
        job = engine.submit(FunctionTask(function, args, kw))
        self._jobs[job.id] = job
        return job.id

    def prewarm(self, model_name: str | Model, test_mode: str, **options: Any) -> None:
        """Compile in the background the programs that jobs of this kind need; any job goes first.

        This is not a job of the pool: it emits no signals, and does not keep the pool busy. On
        threads it does nothing, since the imports alone would block the application.

        Parameters
        ----------
        model_name : str or Model
            As in `FitWorker`.
        test_mode : str
            The test mode of the expected data.
        **options
            As in `rheojobs.PrewarmTask`.
        """
        if not isinstance(self._engine.executor, ThreadExecutor):
            self._engine.prewarm(PrewarmTask(model_name, test_mode, **options))

    def job(self, job_id: str) -> Job:
        """Return a job that has not ended yet; raise KeyError if there is none."""
        return self._jobs[job_id]

    def cancel(self, job_id: str) -> bool:
        """Ask a job to stop and return at once; False if it is unknown or has ended."""
        job = self._jobs.get(job_id)
        return job is not None and job.cancel()

    def cancel_all(self) -> int:
        """Ask all jobs to stop; return how many were asked."""
        return sum(job.cancel() for job in reversed(list(self._jobs.values())))

    def is_busy(self) -> bool:
        """Whether any job is queued or running."""
        return self.get_active_count() > 0

    def get_active_count(self) -> int:
        """Count the jobs that are queued or running."""
        return sum(not job.state.is_terminal for job in self._jobs.values())

    def shutdown(self, wait: bool = True, timeout_ms: int = 5000, *, leave: bool = False) -> bool:
        """Accept no more jobs, cancel the present ones, leave no thread and no process behind.

        Parameters
        ----------
        wait : bool
            Whether to wait for the end.
        timeout_ms : int
            Milliseconds to wait.
        leave : bool
            Whether jobs that can be run again stay in the store for the next start, as in
            `JobEngine.shutdown`.

        Returns
        -------
        bool
            Whether all ended in time. Safe to call twice, and from `closeEvent`.
        """
        deadline = time.monotonic() + timeout_ms / 1000
        ended = self._engine.shutdown(wait, timeout_ms / 1000, leave=leave)
        for engine in (self._thread_engine, self._local_engine):
            if engine is not None:
                left = max(0.05, deadline - time.monotonic())
                ended = engine.shutdown(wait, left) and ended
        self._gate.deliver(self._emit, budget=math.inf)
        return ended

    def _threads(self) -> JobEngine:
        if self._thread_engine is None:
            self._thread_engine = JobEngine("threads", max_workers=self._max_threads)
            self._thread_engine.subscribe(self._gate.put)
        return self._thread_engine

    @Slot()
    def _deliver(self) -> None:
        """Emit the waiting events as signals, in the pool's thread."""
        self._gate.deliver(self._emit)

    def _emit(self, event: JobEvent) -> None:
        job = self._jobs.get(event.job_id)
        if job is None:
            return
        worker = self._workers.get(job.id)
        if isinstance(event, ProgressMade):
            progress = event.progress
            self.job_progress.emit(job.id, progress.current, progress.total, progress.message)
            if worker is not None:
                worker.relay_progress(progress)
        elif isinstance(event, StateChanged):
            if event.state is JobState.RUNNING and job.id not in self._started:
                self._started.add(job.id)
                self.job_started.emit(job.id)
            elif event.state.is_terminal:
                self._emit_end(job, worker)

    def _emit_end(self, job: Job, worker: TaskWorker | None) -> None:
        del self._jobs[job.id]
        self._workers.pop(job.id, None)
        self._started.discard(job.id)
        job.forget()
        if job.state is JobState.SUCCEEDED:
            result = job.result()
            self.job_completed.emit(job.id, result)
            if worker is not None:
                worker.relay_completed(result)
        elif job.state is JobState.FAILED:
            self.job_failed.emit(job.id, job.message)
            if worker is not None:
                worker.relay_failed(job.message)
        else:
            self.job_cancelled.emit(job.id)
            if worker is not None:
                worker.relay_cancelled()


def _abandon(reference: weakref.ref[JobEngine]) -> None:
    engine = reference()
    if engine is not None:
        engine.shutdown(wait=False)
