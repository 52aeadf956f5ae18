"""Starting jobs: asks the scheduler who is next, and hands it to the executor.

Neither a slow check of a task nor a slow start holds up whoever submits or cancels: jobs start
in a thread of their own, or in the one that has brought a result, whose worker is free. A light
one starts in the thread that submits it, where a worker waits: to wake another thread would take
longer. Knows no subscribers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import FunctionType, NoneType

from rheojobs.engine import messages
from rheojobs.engine.dependencies import fill_in
from rheojobs.engine.executors import Executor, Run
from rheojobs.engine.executors.base import RunHandle
from rheojobs.engine.job import Job
from rheojobs.engine.job_table import JobTable
from rheojobs.engine.recovery import describe_again
from rheojobs.engine.scheduler import WORKER, fits
from rheojobs.engine.states import JobState
from rheojobs.engine.task import FunctionTask
from rheojobs.errors import InputError

__all__ = ["Dispatcher", "check_movable"]


def check_movable(jobs: Iterable[Job], executor: Executor, there: Mapping[str, float]) -> None:
    """Raise `InputError` where jobs that have not ended could not go on on another executor.

    Parameters
    ----------
    there : mapping of str to float
        How much there is on it of what executors, and not users, provide.
    """
    jobs = list(jobs)
    running = sum(job.dispatched and not job.is_prewarming for job in jobs)
    if running:
        many = "1 job runs" if running == 1 else f"{running} jobs run"
        raise InputError(f"{many} still: wait for the end, or cancel")
    for job in jobs:
        for name, amount in there.items():
            if (wanted := job.needs.get(name, 0.0)) > amount:
                what = "workers, there are" if name == WORKER else f"of {name!r}, there is"
                raise InputError(f"{job.name!r} asks for {wanted:g} {what} {amount:g} there")
    if not executor.limits_memory and any(job.memory is not None for job in jobs):
        raise InputError("a job that waits has a limit of memory, which is not kept there")


class Dispatcher:
    """Starts the jobs of a table until that is closed and empty.

    Parameters
    ----------
    table : JobTable
        The jobs.
    executor : Executor
        Where they run.
    cancel : callable
        Cancels a job: a prewarming that has to give way.
    flush : callable
        Has what was told pass on at once.

    Attributes
    ----------
    paused : bool
        Whether nothing new starts.
    """

    def __init__(
        self,
        table: JobTable,
        executor: Executor,
        cancel: Callable[[Job], object],
        flush: Callable[[], None],
    ) -> None:
        self._table = table
        self._executor = executor
        self._cancel = cancel
        self._flush = flush
        self.paused = False
        self._turn = threading.Lock()  # one thread at a time starts jobs: so they keep their order
        self._thread = threading.Thread(target=self._run, name="rheojobs-engine", daemon=True)
        self._thread.start()

    def start_on(self, executor: Executor) -> None:
        """Start jobs there from now on; with the table's lock held, and none of them running."""
        self._executor = executor

    def is_alive(self) -> bool:
        """Say whether the thread has not ended yet."""
        return self._thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread; not in the thread itself."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            self._table.wake.wait(self._table.agenda.seconds_left(time.monotonic()))
            self._table.wake.clear()
            with self._table.lock:
                if self._table.closed and not self._table.open:
                    return
                due = self._table.agenda.take_due(time.monotonic())
            for action in due:
                action()
            with self._turn:
                self._start_next()

    def may_start_here(self, job: Job) -> bool:
        """Say whether a new job may `start` in this thread, without delay."""
        return (
            not self._table.has_to_start
            and job.state is JobState.QUEUED
            and self._executor.has_idle_worker()
            and _is_light(job.task)
        )

    def _start_here(self) -> None:
        """Start what may start, in this thread; another one does, if that is at it already."""
        if not self._turn.acquire(blocking=False):
            self._table.wake.set()  # it may have looked already
            return
        try:
            self._start_next()
        finally:
            self._turn.release()

    def _tell(self, job: Job, message: messages.Message) -> None:
        """Take in what a job's task tells; who brings a result starts the next job."""
        self._table.on_message(job, message)
        if isinstance(message, messages.Succeeded):
            if self._table.has_to_start:
                self._start_here()
            if not self._table.scheduler:
                self._flush()  # else one job ends after another, and they are told together

    def _start_next(self) -> None:
        with self._table.lock:
            self._table.unblock()
            chosen: list[Job] = []
            in_the_way: list[Job] = []
            if not self.paused:
                chosen, in_the_way = self._choose()
            for job in chosen:
                job.dispatched = True
        for job in in_the_way:
            self._cancel(job)
        for job in chosen:
            self.start(job)

    def _choose(self) -> tuple[list[Job], list[Job]]:
        """Give the jobs to start, and the prewarming that has to give way to jobs."""
        scheduler = self._table.scheduler
        prewarming = list(self._table.prewarming.values())
        if not scheduler:
            return [job for job in prewarming if not job.dispatched and self._takes(job)], []
        awaited = {job.affinity for job in prewarming if job.dispatched} - {""}
        in_the_way = [job for job in prewarming if not job.cancel_wanted]
        chosen = []
        while scheduler and (job_id := scheduler.start_next(awaited)) is not None:
            chosen.append(self._table.open[job_id])
        return chosen, in_the_way

    def _takes(self, job: Job) -> bool:
        """Take what a prewarming needs, if it is free."""
        scheduler = self._table.scheduler
        if not fits(job.needs, scheduler.free):
            return False
        scheduler.take(job.needs)
        return True

    def start(self, job: Job) -> None:
        """Hand a job to the executor, for which there is what it needs."""
        try:
            if job.after:  # else it takes nobody's result
                waiting, job.task = job.task, fill_in(job.task)
                if job.task is not waiting:
                    describe_again(job, self._table.journal)
            if (validate := getattr(job.task, "validate", None)) is not None:
                validate()
        except BaseException as error:  # whatever a task's check raises is the job's failure
            self._table.on_message(job, messages.Started())
            self._table.on_message(job, messages.Failed(error))
            return
        tell = partial(self._tell, job)
        self._table.note_cluster_address(job, self._executor.cluster_address)
        run = Run(job.id, job.task, tell, job.checkpoint, job.memory, job.needs, job.priority)
        try:
            handle = self._executor.start(run)
        except BaseException as error:  # no more threads to be had, for example
            self._table.on_message(job, messages.Failed(error))
            if isinstance(error, Exception):
                return
            raise  # Ctrl-C, in the thread that submits
        with self._table.lock:
            job.handle = None if job.state.is_terminal else handle
            stop = job.cancel_wanted or job.stop_error is not None
            if job.pause_wanted:
                handle.pause()
        if stop:
            self.stop(job, handle)

    def stop(self, job: Job, handle: RunHandle) -> None:
        """Ask a run to stop; a prewarming with patience, as its worker is wanted."""
        if job.is_prewarming and not self._table.closed:
            handle.release()
        else:
            handle.cancel()


LIGHT = 1000
"""Characters of each text that a light task may have."""

MOST_VALUES = 10


def _is_light(task: object) -> bool:
    """Say whether a task is pickled in no time: a function that is found by its name."""
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
