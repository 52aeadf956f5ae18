"""An executor of warm worker processes: started once, used again and again, replaced on death.

A worker is a new interpreter (no fork, no re-import of the user's main module, no semaphores). It
has imported what tasks need before the first of them comes, and it cannot outlive the application.
The process of a task that does not stop when asked is killed.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.errors import MemoryLimitError, WorkerDiedError
from rheojobs.engine.executors.base import Executor, Run, RunHandle, WorkerInfo
from rheojobs.engine.executors.environment import environments
from rheojobs.engine.executors.memory import resident_bytes
from rheojobs.engine.executors.processes.channel import ChannelClosedError
from rheojobs.engine.executors.processes.monitor import WorkerMonitor
from rheojobs.engine.executors.processes.run import ProcessRun
from rheojobs.engine.executors.processes.sending import Sender
from rheojobs.engine.executors.processes.worker_handle import Phase, WorkerHandle
from rheojobs.engine.executors.processes.worker_set import StartRetries, WorkerSet
from rheojobs.engine.sizes import size
from rheojobs.engine.timers import Timer, TimerThread
from rheojobs.errors import one_line

__all__ = ["ProcessExecutor"]

logger = logging.getLogger(__name__)

CANCEL_GRACE = 1.5
"""Seconds that a task has to stop before its process is killed."""


class ProcessExecutor(Executor):
    """Runs tasks in worker processes that are warm before they are needed.

    Workers start on demand. Besides the busy ones there are `spares` that are warm and idle, so
    that neither the first job nor the replacement of a killed worker waits for imports.

    Parameters
    ----------
    max_workers : int
        How many tasks may run at a time.
    preload : sequence of str
        Functions ``"package.module:function"`` that each worker calls before it is ready. A
        generator function runs up to its first `yield` then, and further when the worker is idle.
    spares : int
        How many idle workers are kept warm behind the busy ones.
    nice : int
        The niceness of the workers, so that the application has priority.
    env : mapping or sequence of mappings
        Environment variables of the workers, in addition to the application's; several mappings
        are spread over the workers evenly (`rheojobs.engine.executors.environment` makes them).
    idle_seconds : float
        Seconds after which a worker that is neither busy nor a spare is ended.
    """

    limits_memory = True

    def __init__(
        self,
        max_workers: int = 4,
        *,
        preload: tuple[str, ...] = (),
        spares: int = 1,
        nice: int = 5,
        env: Mapping[str, str] | Sequence[Mapping[str, str]] = (),
        idle_seconds: float = 300.0,
    ) -> None:
        if max_workers < 1:
            raise ValueError(f"max_workers must be greater than 0, got {max_workers}")
        self.capacity = max_workers
        self.timers = TimerThread("rheojobs-pool-timers")
        self._preload = preload
        self._nice = nice
        self._idle_seconds = idle_seconds
        self._lock = threading.RLock()
        self._workers = WorkerSet(max_workers, spares, environments(env))
        self._waiting: deque[ProcessRun] = deque()
        self._runs: dict[WorkerHandle, ProcessRun] = {}
        self._starts = StartRetries()
        self._retry: Timer | None = None
        self._closed = False
        self._sender = Sender(self._lock, self._on_pickling_failed)
        self._monitor = WorkerMonitor(self._check_memory, self._retire)
        self.timers.call_later(0.0, lambda: None)  # starts its thread before a job must be stopped
        self._replenish()

    # ---------------------------------------------------------------- the executor's interface

    def start(self, run: Run) -> RunHandle:
        """Start a run: it goes to an idle worker now, or to the next that is ready."""
        control = ProcessRun(self, run)
        with self._lock:
            closed = self._closed
            if not closed:
                self._waiting.append(control)
                if self._starts.are_exhausted and not len(self._workers):
                    self._starts.reset()
        if closed:
            run.report(messages.Cancelled())
            return control
        try:
            self._assign()
            self._replenish()
        except BaseException:  # Ctrl-C: the caller gets no handle of the run
            self.cancel(control)
            raise
        return control

    def has_idle_worker(self) -> bool:
        """Return whether a task would go to a worker at once, without starting another worker."""
        if not self._lock.acquire(blocking=False):
            return False  # for example, a worker is being started: the caller must not wait
        try:
            return not self._waiting and not self._closed and self._workers.has_spare()
        finally:
            self._lock.release()

    def worker_pids(self) -> list[int]:
        """Return the process ids of the live workers."""
        with self._lock:
            return [worker.process.pid for worker in self._workers]

    def workers(self) -> list[WorkerInfo]:
        """Return the live workers, each with its state and its memory."""
        with self._lock:
            found = [(worker.process.pid, str(worker.phase)) for worker in self._workers]
        return [WorkerInfo(pid, state, resident_bytes(pid)) for pid, state in found]

    def wait_until_warm(self, timeout: float) -> bool:
        """Wait until a worker is ready to take a task; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._lock:
                if self._workers.has_idle():
                    return True
            time.sleep(0.01)
        return False

    def shutdown(self, timeout: float) -> bool:
        """Ask the workers to end, and kill those that do not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._monitor.close()
        with self._lock:
            self._closed = True
            controls = [*self._waiting, *self._runs.values()]
            workers = list(self._workers)
        for control in controls:
            control.cancel()
        for worker in workers:
            if worker.phase is Phase.STARTING:
                worker.kill()  # it has nothing to finish, and does not read messages yet
            else:
                with contextlib.suppress(ChannelClosedError):  # it has left already
                    worker.channel.send(("exit",))
        grace = min(CANCEL_GRACE, timeout / 2)
        patience = time.monotonic() + grace
        for worker in workers:
            if not worker.join(max(0.0, patience - time.monotonic())):
                worker.kill()
        ended = all([w.join(max(0.05, deadline - time.monotonic())) for w in workers])
        self.timers.close()
        return ended

    # ---------------------------------------------------------------- runs

    def _assign(self) -> None:
        """Assign waiting runs to idle workers."""
        # A run that is added now is assigned by the thread that adds it.
        while self._waiting and (pair := self._next_pair()) is not None:
            if pair[0].run.memory is not None:
                self._monitor.wake()
            self._sender.hand_over(*pair)

    def _next_pair(self) -> tuple[ProcessRun, WorkerHandle] | None:
        """Assign the first waiting run to the idle worker that suits it best, if there is one."""
        with self._lock:
            if not self._waiting:
                return None
            affinity = self._waiting[0].affinity
            if (worker := self._workers.choose(affinity)) is None:
                return None
            control = self._waiting.popleft()
            worker.phase = Phase.BUSY
            self._runs[worker], control.worker = control, worker
            if affinity:
                worker.affinities.add(affinity)
            return control, worker

    def _free(self, control: ProcessRun, worker: WorkerHandle) -> bool:
        """Release the worker of a run; False if another thread has done so."""
        with self._lock:
            if control.worker is not worker:
                return False
            control.stop_timer()
            control.worker = None
            del self._runs[worker]
            worker.used_at = worker.idle_since = time.monotonic()
            if worker.phase is Phase.BUSY:
                worker.phase = Phase.IDLE
        self._monitor.note_idle()
        return True

    def _on_pickling_failed(
        self, control: ProcessRun, worker: WorkerHandle, error: BaseException
    ) -> None:
        if self._free(control, worker):
            control.run.report(messages.Failed(error))
            self._assign()

    def send(self, control: ProcessRun, verb: str) -> None:
        """Send a request about a run to its worker."""
        self._sender.send(control, verb)

    def cancel(self, control: ProcessRun, grace: float = CANCEL_GRACE) -> None:
        """Ask a run to stop, and kill its worker if it has not stopped within `grace` seconds."""
        with self._lock:
            worker = control.worker
            if not control.hurry(grace, has_worker=worker is not None):
                return
            has_begun = worker is not None and control.is_sending
            if control in self._waiting:
                self._waiting.remove(control)
                has_ended = True
            else:  # if its task is still being pickled, its worker is free at once
                has_ended = worker is not None and not has_begun and self._free(control, worker)
            if has_begun:
                control.strike_in_time(self._kill_worker_of)
        if has_begun:
            self.send(control, "cancel")
        if has_ended or control.abandoned:
            control.run.report(messages.Cancelled())
        if has_ended:
            self._assign()
        if control.abandoned:
            self._replenish()

    def _kill_worker_of(self, control: ProcessRun, error: Exception | None = None) -> None:
        with self._lock:
            if (worker := control.worker) is not None:
                why = "does not stop" if error is None else str(error)
                logger.info("worker %d %s: killed", worker.process.pid, why)
                control.stop_error = error
                # If the task ends at this moment, no other may be sent here.
                worker.phase = Phase.DEAD
                worker.kill()

    # ---------------------------------------------------------------- workers

    def _replenish(self) -> None:
        """Start the missing workers; fail the waiting runs if no worker can be started."""
        hopeless: list[ProcessRun] = []
        reason = ""
        with self._lock:
            while (
                not self._closed
                and len(self._workers) < self._workers.wanted(len(self._waiting))
                and self._starts.may_start(time.monotonic())
            ):
                try:
                    self._start_worker()
                except Exception as error:  # no more processes, threads, files or memory available
                    reason = one_line(error)
                    hopeless += self._note_failed_start(reason)
        _fail(hopeless, reason)

    def _start_worker(self) -> None:
        worker = WorkerHandle(
            self._preload,
            self._nice,
            self._workers.next_env(),
            on_ready=self._on_ready,
            on_message=self._on_message,
            on_death=self._on_death,
        )
        worker.begin()
        self._workers.add(worker)

    def _note_failed_start(self, reason: str) -> list[ProcessRun]:
        """Schedule another try, or return the waiting runs to fail. Called with the lock held."""
        # While the interpreter ends, no more threads start, and no more workers are needed.
        level = logging.WARNING if threading.main_thread().is_alive() else logging.DEBUG
        logger.log(level, "a worker process cannot start: %s", reason)
        delay = self._starts.note_failure(time.monotonic())
        hopeless: list[ProcessRun] = []
        if self._starts.are_exhausted and not len(self._workers):
            hopeless = list(self._waiting)
            self._waiting.clear()
        if self._waiting or not self._starts.are_exhausted:
            if self._retry is not None:
                self._retry.cancel()
            self._retry = self.timers.call_later(delay, self._replenish)
        return hopeless

    def _retire(self) -> float | None:
        """End a worker that was idle for long; return the seconds until the next is due."""
        with self._lock:
            worker = self._workers.superfluous(len(self._waiting))
            if worker is None or self._closed:
                return None
            due = worker.idle_since + self._idle_seconds - time.monotonic()
            if due > 0:
                return due
            worker.phase = Phase.DEAD  # so that no task is sent there
        logger.info("worker %d is not needed any more", worker.process.pid)
        with contextlib.suppress(ChannelClosedError):  # it has left already
            worker.channel.send(("exit",))
        return 0.0

    def _check_memory(self) -> bool:
        """Kill the workers above the memory limit of their run; return whether any has a limit."""
        with self._lock:
            limited = [
                (worker, control, limit)
                for worker, control in self._runs.items()
                if (limit := control.run.memory) is not None
            ]
        for worker, control, limit in limited:
            used = resident_bytes(worker.process.pid)
            with self._lock:
                if used > limit and control.worker is worker and worker.phase is not Phase.DEAD:
                    text = f"used {size(used)} of the {size(limit)} it was given"
                    self._kill_worker_of(control, MemoryLimitError(text))
        return bool(limited)

    # ---------------------------------------------------------------- in the threads that read

    def _on_ready(self, worker: WorkerHandle) -> None:
        """Make a worker available that has finished its preload."""
        with self._lock:
            self._starts.reset()
            worker.phase = Phase.IDLE
            worker.idle_since = time.monotonic()
        self._monitor.note_idle()
        self._assign()
        self._replenish()

    def _on_message(self, worker: WorkerHandle, run_id: str, message: Any) -> None:
        """Pass on a message of a task; the last one frees the worker."""
        control = self._runs.get(worker)
        if control is None or control.run.id != run_id:
            logger.debug("a message of a run that is over: %r", message)
            return
        if isinstance(message, messages.Stoppable):
            control.stoppable = message.possible
        elif isinstance(message, messages.Inspected):
            control.is_inspected = False
        is_over = isinstance(message, messages.ENDINGS)
        if is_over:
            self._free(control, worker)
        if not control.abandoned:
            control.run.report(message)
        if is_over:
            self._assign()

    def _on_death(self, worker: WorkerHandle) -> None:
        """End the run of a dead worker, and replace the worker."""
        reason = worker.cause_of_death()
        hopeless: list[ProcessRun] = []
        with self._lock:
            has_started = worker.phase is not Phase.STARTING
            worker.phase = Phase.DEAD
            self._workers.remove(worker)
            control = self._runs.get(worker)
            if not has_started and not self._closed:
                hopeless = self._note_failed_start(reason)
            elif not len(self._workers):
                self._starts.reset()  # starts that failed while it lived do not count
        if control is not None and self._free(control, worker) and not control.abandoned:
            control.run.report(control.ending_by_death(reason, worker.error))
        _fail(hopeless, reason)
        self._replenish()
        self._assign()


def _fail(runs: list[ProcessRun], reason: str) -> None:
    error = WorkerDiedError(f"worker processes cannot start: {reason}")
    for control in runs:
        control.run.report(messages.Failed(error))
