"""Starts jobs when it is their turn, and stops, pauses, resumes and inspects running ones.

Jobs start on a thread of their own, so that neither a slow check of a task nor a slow start delays
the caller of `submit` or `cancel`. A light job (`is_light`) may start on the thread that submits
it, or on the one that has delivered a result, since waking another thread would take longer: it
needs no call of user code, and has nothing large to send.
"""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import time
from functools import partial
from types import FunctionType, NoneType
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors import Executor, Run
from rheojobs.engine.executors.base import RunHandle
from rheojobs.engine.jobs.dependencies import fill_in
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.jobs.message_handler import MessageHandler
from rheojobs.engine.jobs.recovery import describe_again
from rheojobs.engine.loops import call_logged, run_guarded
from rheojobs.engine.policy.scheduler import fits
from rheojobs.engine.recorder import Recorder
from rheojobs.engine.states import JobState
from rheojobs.engine.task import FunctionTask

__all__ = ["Dispatcher", "is_light"]

logger = logging.getLogger(__name__)


class Dispatcher:
    """Starts the jobs of a table until it is closed and empty, and controls running ones.

    Parameters
    ----------
    table : JobRegistry
        The jobs.
    executor : Executor
        Where they run.
    recorder : Recorder
        Records tasks that are complete only when they start.

    Attributes
    ----------
    paused : bool
        Whether nothing new starts.
    """

    def __init__(self, table: JobRegistry, executor: Executor, recorder: Recorder) -> None:
        self._table = table
        self._executor = executor
        self._recorder = recorder
        self._messages = MessageHandler(table, recorder)
        self.paused = False
        self._choosing = threading.Lock()  # one thread at a time, so that jobs start in order
        self._thread = threading.Thread(target=self._run, name="rheojobs-engine", daemon=True)
        self._thread.start()

    def start_on(self, executor: Executor) -> None:
        """Start jobs there from now on; called with the table's lock held and no job running."""
        self._executor = executor

    def is_alive(self) -> bool:
        """Return whether the thread still runs."""
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread; returns at once in the thread itself."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    # ---------------------------------------------------------------- starting

    def _run(self) -> None:
        run_guarded(self._step, self._table.fail_all, "starting jobs")

    def _step(self) -> bool:
        self._table.wake.wait(self._table.timers.seconds_left(time.monotonic()))
        self._table.wake.clear()
        with self._table.lock:
            if self._table.closed and not self._table.open:
                return False
            due = self._table.timers.take_due(time.monotonic())
        while due:
            call_logged(due.pop(0), "a timer's action")
        self._start_all(self._choose_next(only_light=False))
        return True

    def _start_all(self, jobs: list[Job]) -> None:
        for job in jobs:
            try:
                self.start(job)
            except Exception as error:  # an internal fault must not affect the other jobs
                logger.exception("job %s could not be started", job.id[:8])
                self._messages.handle(job, messages.Failed(error))

    def may_start_at_once(self, job: Job) -> bool:
        """Return whether a new job may be passed to `start` on this thread, without delay."""
        return (
            job.is_light
            and job.state is JobState.QUEUED
            and job.not_before is None
            and not self._table.has_to_start
            and self._executor.has_idle_worker()
        )

    def _start_light(self) -> None:
        """Start the jobs whose turn it is, up to the first that is not light."""
        self._start_all(self._choose_next(only_light=True))

    def _choose_next(self, *, only_light: bool) -> list[Job]:
        """Return the jobs to start on this thread; the dispatcher's own thread starts the rest."""
        if not self._choosing.acquire(blocking=not only_light):
            self._table.wake.set()  # the other thread may have chosen already
            return []
        try:
            with self._table.lock:
                self._table.unblock()
                if self.paused:
                    return []
                chosen, in_the_way = self._choose(only_light)
                for job in chosen:
                    job.dispatched = True
        finally:
            self._choosing.release()
        for job in in_the_way:
            self.cancel(job)
        return chosen

    def _choose(self, only_light: bool) -> tuple[list[Job], list[Job]]:
        """Return the jobs to start, and the prewarming jobs that must make room for them."""
        scheduler = self._table.scheduler
        prewarming = list(self._table.prewarming.values())
        if only_light and prewarming:
            self._table.wake.set()
            return [], []
        if not scheduler:
            return [job for job in prewarming if not job.dispatched and self._takes(job)], []
        awaited = {job.affinity for job in prewarming if job.dispatched} - {""}
        in_the_way = [job for job in prewarming if not job.cancel_wanted]
        chosen: list[Job] = []
        while scheduler and (job_id := scheduler.next_to_start(awaited)) is not None:
            job = self._table.open[job_id]
            if only_light and not job.is_light:
                self._table.wake.set()
                break
            scheduler.start(job_id)
            chosen.append(job)
        return chosen, in_the_way

    def _takes(self, job: Job) -> bool:
        """Take the resources that a prewarming job needs, if they are free."""
        scheduler = self._table.scheduler
        if not fits(job.needs, scheduler.free):
            return False
        scheduler.take(job.needs)
        return True

    def start(self, job: Job) -> None:
        """Pass a job to the executor; its resources have been taken already."""
        if not job.is_light and not self._is_ready(job):
            return
        attempt = object()
        self._table.note_attempt(job, attempt, self._executor.cluster_address)
        run = Run(
            job.id,
            job.task,
            partial(self._on_message, job, attempt),
            job.checkpoint,
            job.memory,
            job.needs,
            job.priority,
            job.is_light,
        )
        try:
            handle = self._executor.start(run)
        except BaseException as error:  # no more threads, for example
            self._messages.handle(job, messages.Failed(error), attempt)
            if isinstance(error, Exception):
                return
            raise  # Ctrl-C, on the thread that submits
        self._follow(job, attempt, handle)

    def _is_ready(self, job: Job) -> bool:
        """Fill in and validate a task; its job fails with any exception that user code raises."""
        try:
            if job.after:  # else it uses no job's result
                waiting, job.task = job.task, fill_in(job.task)
                if job.task is not waiting:
                    describe_again(job, self._recorder)
            if (validate := getattr(job.task, "validate", None)) is not None:
                validate()
        except BaseException as error:
            self._messages.handle(job, messages.Started())
            self._messages.handle(job, messages.Failed(error))
            return False
        return True

    def _follow(self, job: Job, attempt: object, handle: RunHandle) -> None:
        """Apply to a run that has just started the requests made for its job meanwhile."""
        if not self._table.note_handle(job, attempt, handle):
            return
        if job.cancel_wanted or job.stop_error is not None:
            self._stop(job, handle)
        elif job.pause_wanted:
            handle.pause()
            with self._table.lock:
                is_resumed = not job.pause_wanted  # `resume` was called in between
            if is_resumed:
                handle.resume()

    def _on_message(self, job: Job, attempt: object, message: messages.Message) -> None:
        """Process a message of a run; a thread that delivers a result starts the next light job."""
        self._messages.handle(job, message, attempt)
        if isinstance(message, messages.Succeeded):
            try:
                if self._table.has_to_start:
                    self._start_light()
            finally:
                self._recorder.settle_here()
            if not self._table.scheduler:
                self._recorder.flush()  # else jobs end in a row, and are published together

    # ---------------------------------------------------------------- controlling

    def _stop(self, job: Job, handle: RunHandle) -> None:
        """Ask a run to stop; a prewarming run gets more time, as its worker is needed."""
        if job.is_prewarming and not self._table.closed:
            handle.release()
        else:
            handle.cancel()

    def cancel_all(self) -> int:
        """Ask all jobs to stop, and return how many were asked."""
        with self._table.lock:
            jobs = list(self._table.open.values())
        count = 0
        for job in reversed(jobs):
            try:
                count += self.cancel(job)
            except Exception:  # the others must still be asked
                logger.exception("job %s could not be asked to stop", job.id[:8])
        return count

    def cancel(self, job: Job) -> bool:
        """Ask a job to stop and return at once; False if it had ended already."""
        with self._table.lock:
            if job.state.is_terminal:
                return False
            job.cancel_wanted = True
            if job.state in (JobState.RUNNING, JobState.PAUSED):
                self._table.move(job, JobState.CANCELLING)
            elif not job.dispatched:
                self._table.end(job, JobState.CANCELLED)
            handle = job.handle
        if handle is not None:
            self._stop(job, handle)
        return True

    def pause(self, job: Job, *, for_queue: bool = False) -> bool:
        """Pause a running job at its next `check`; False if it does not run.

        Parameters
        ----------
        for_queue : bool
            Whether `resume_all` resumes it; a job that is paused by itself already is left alone.
        """
        with self._table.lock:
            if job.state is not JobState.RUNNING or (for_queue and job.pause_wanted):
                return False
            job.pause_wanted = True
            job.held_by_queue = for_queue
            handle = job.handle
        if handle is not None:  # else it is just starting, and `_follow` pauses it
            handle.pause()
        return True

    def resume(self, job: Job) -> bool:
        """Resume a job that is paused, or about to be; False if it does not run."""
        with self._table.lock:
            if job.state not in (JobState.RUNNING, JobState.PAUSED):
                return False
            job.pause_wanted = job.held_by_queue = False
            handle = job.handle
        if handle is not None:
            handle.resume()
        return True

    def pause_all(self, *, running: bool) -> None:
        """Start no more jobs; with `running`, pause the running ones too."""
        with self._table.lock:
            self.paused = True
            jobs = list(self._table.open.values()) if running else []
        for job in jobs:
            self.pause(job, for_queue=True)

    def resume_all(self) -> None:
        """Start jobs again, and resume those that `pause_all` has paused."""
        with self._table.lock:
            self.paused = False
            jobs = [job for job in self._table.open.values() if job.held_by_queue]
        for job in jobs:
            self.resume(job)
        self._table.wake.set()

    def inspect(self, job: Job, timeout: float | None) -> Any:
        """Return a job's result, the value of its `on_inspect`, or its newest partial result."""
        answer: concurrent.futures.Future[Any] = concurrent.futures.Future()
        with self._table.lock:
            handle = job.handle
            is_at_work = job.state in (JobState.RUNNING, JobState.PAUSED) and handle is not None
            if is_at_work:
                job.pending_inspections.append(answer)
            elif job.state is JobState.SUCCEEDED:
                answer = job.future
            else:
                answer.set_result(job.partial)
        if is_at_work and handle is not None:
            handle.inspect()
        return answer.result(timeout)


LIGHT = 1000
"""Characters that each text argument of a light task may have."""

MOST_VALUES = 10


def is_light(task: object) -> bool:
    """Return whether a task is pickled quickly: an importable function with small arguments."""
    if type(task) is not FunctionTask or type(task.function) is not FunctionType:
        return False
    function = task.function
    if "<" in function.__qualname__ or function.__module__ == "__main__":  # pickled as a whole
        return False
    values = (*task.args, *task.kwargs.values())
    return len(values) < MOST_VALUES and all(
        type(value) in (NoneType, bool, int, float)
        or (type(value) in (str, bytes) and len(value) < LIGHT)
        for value in values
    )
