"""Tasks in warm worker processes: started once, used again and again, replaced when they die.

A worker is an interpreter of our own making (no fork, no re-import of the user's main
module, no semaphores): it has imported what tasks need before the first of them comes, and
it cannot outlive the application. A task that does not stop when asked loses its process.
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
from rheojobs.engine.executors.pickling import pickle_task
from rheojobs.engine.executors.processes.channel import ChannelClosedError
from rheojobs.engine.executors.processes.monitor import WorkerMonitor, resident_bytes
from rheojobs.engine.executors.processes.run import ProcessRun
from rheojobs.engine.executors.processes.worker_handle import Phase, WorkerProcess
from rheojobs.engine.sizes import size

__all__ = ["ProcessExecutor"]

logger = logging.getLogger(__name__)

CANCEL_GRACE = 1.5
"""Seconds that a task has to stop by itself before its process is killed."""

PIPE_ROOM = 16 * 1024
"""Bytes that go into a pipe at once, whether or not somebody reads at the other end."""

MAX_STARTUP_FAILURES = 3
"""Workers that die one after another before they are ready, until we give up."""


class ProcessExecutor(Executor):
    """Runs tasks in worker processes that are warm before they are needed.

    Workers start on demand: those that are busy, plus `spares` that are warm and idle, so
    that neither the first job nor the replacement of a killed worker waits for imports.

    Parameters
    ----------
    max_workers : int
        How many tasks may run at a time.
    preload : sequence of str
        Functions ``"package.module:function"`` that each worker calls before it is ready. Of a
        generator the first step is taken then, and the others when there is nothing to do.
    spares : int
        How many idle workers are kept warm behind the busy ones.
    nice : int
        By how much the workers yield the processor to the application.
    env : mapping or sequence of mappings
        What the workers' environment has beyond, or in place of, the application's; several
        are spread over the workers evenly (`rheojobs.engine.executors.environment` makes them).
    idle_seconds : float
        How long a worker stays that is not needed at present, neither busy nor a spare.
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
            raise ValueError(f"max_workers must be at least 1, got {max_workers}")
        self._envs = environments(env)
        self.capacity = max_workers
        self._preload = preload
        self._spares = spares
        self._nice = nice
        self._lock = threading.RLock()
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[ProcessRun] = deque()
        self._startup_failures = 0
        self._closed = False
        self._idle_seconds = idle_seconds
        self._upkeep = WorkerMonitor(self._look_after_memory, self._retire)
        self._replenish()

    def start(self, run: Run) -> RunHandle:
        """Take on a run: it goes to an idle worker now, or to the next that is ready."""
        control = ProcessRun(self, run)
        with self._lock:
            closed = self._closed
            if not closed:
                self._waiting.append(control)
                if self._startup_failures >= MAX_STARTUP_FAILURES and not self._workers:
                    self._startup_failures = 0  # whatever was missing may be there by now
        if closed:
            run.tell(messages.Cancelled())
        else:
            self._assign()
            self._replenish()
        return control

    def has_idle_worker(self) -> bool:
        """Say whether a task would go to a worker at once, and no other had to start for it."""
        if not self._lock.acquire(blocking=False):
            return False  # a worker is being started, say: who asks, submits, and must not wait
        try:
            if self._waiting or self._closed:
                return False
            phases = [worker.phase for worker in self._workers]
            busy = phases.count(Phase.BUSY) + 1
            enough = len(phases) >= min(busy, self.capacity) + self._spares
            return Phase.IDLE in phases and (enough or Phase.STARTING in phases)
        finally:
            self._lock.release()

    def worker_pids(self) -> list[int]:
        """Give the process ids of the workers that live."""
        with self._lock:
            return [worker.process.pid for worker in self._workers]

    def workers(self) -> list[WorkerInfo]:
        """Give the workers that live: what each does, and the memory that it holds."""
        with self._lock:
            found = [(worker.process.pid, str(worker.phase)) for worker in self._workers]
        return [WorkerInfo(pid, state, resident_bytes(pid)) for pid, state in found]

    def wait_until_warm(self, timeout: float) -> bool:
        """Wait until a worker is ready to take a task; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._lock:
                if any(worker.phase is Phase.IDLE for worker in self._workers):
                    return True
            time.sleep(0.01)
        return False

    def _replenish(self) -> None:
        with self._lock:
            if self._closed or self._startup_failures >= MAX_STARTUP_FAILURES:
                return
            wanted = self._wanted()
            orphans: list[ProcessRun] = []
            while len(self._workers) < wanted:
                try:
                    worker = WorkerProcess(self, self._preload, self._nice, self._next_env())
                except OSError as error:  # no more processes, files or memory to be had
                    reason = f"worker processes cannot start: {error}"
                    logger.warning("%s", reason)
                    if not self._workers:
                        orphans = list(self._waiting)
                        self._waiting.clear()
                    break
                self._workers.append(worker)
                worker.begin()
        for orphan in orphans:
            orphan.run.tell(messages.Failed(WorkerDiedError(reason)))

    def _wanted(self) -> int:
        """Count the workers that there should be."""
        busy = sum(worker.phase is Phase.BUSY for worker in self._workers)
        wanted = max(1, min(busy + len(self._waiting), self.capacity))
        if not any(worker.phase is Phase.STARTING for worker in self._workers):
            # Spares come when the others are ready: their imports must not slow them down.
            wanted += self._spares if busy else 0
        return wanted

    def _next_env(self) -> Mapping[str, str]:
        """Give the environment that the fewest workers have."""
        return min(self._envs, key=lambda env: sum(w.env is env for w in self._workers))

    def _retire(self) -> float | None:
        """Send off a worker that was idle for long; gives the seconds until the next is due."""
        with self._lock:
            alive = [w for w in self._workers if w.phase is not Phase.DEAD]
            idle = sorted((w for w in alive if w.phase is Phase.IDLE), key=lambda w: w.idle_since)
            superfluous = idle[: max(0, len(alive) - self._wanted())]
            if not superfluous or self._closed:
                return None
            due = superfluous[0].idle_since + self._idle_seconds - time.monotonic()
            if due > 0:
                return due
            worker = superfluous[0]
            worker.phase = Phase.DEAD  # no task may be sent there any more
        logger.info("worker %d is not needed any more", worker.process.pid)
        with contextlib.suppress(ChannelClosedError):  # it has left already
            worker.channel.send(("exit",))
        return 0.0

    def _look_after_memory(self) -> bool:
        """Kill the workers that hold more than their run may; gives whether any has a limit."""
        with self._lock:
            limited = [
                (worker, run, limit)
                for worker in self._workers
                if (run := worker.run) is not None and (limit := run.run.memory) is not None
            ]
        for worker, run, limit in limited:
            used = resident_bytes(worker.process.pid)
            with self._lock:
                if used <= limit or worker.run is not run or worker.phase is Phase.DEAD:
                    continue
                text = f"used {size(used)} of the {size(limit)} it was given"
                logger.info("worker %d %s: killed", worker.process.pid, text)
                run.stop_error = MemoryLimitError(text)
                worker.phase = Phase.DEAD
                worker.kill()
        return bool(limited)

    def _assign(self) -> None:
        """Give waiting runs to idle workers."""
        while True:
            with self._lock:
                idle = [w for w in self._workers if w.phase is Phase.IDLE]
                if not idle or not self._waiting:
                    return
                control = self._waiting.popleft()
                affinity = control.affinity
                worker = max(idle, key=lambda w: (affinity in w.affinities, w.used_at))
                worker.phase = Phase.BUSY
                worker.run, control.worker = control, worker
                if affinity:
                    worker.affinities.add(affinity)
            run = control.run
            if run.memory is not None:
                self._upkeep.wake()
            try:
                task = pickle_task(run.task)
            except TypeError as error:
                self._finish(worker, control)
                run.tell(messages.Failed(error))
                continue
            if len(task) + len(run.restored or b"") < PIPE_ROOM:
                self._hand_over(worker, control, task)
                continue
            # Should the worker not listen, being stopped or swapped out, nobody else waits.
            hand_over = threading.Thread(
                target=self._hand_over, args=(worker, control, task), daemon=True
            )
            try:
                hand_over.start()
            except RuntimeError:  # no more threads to be had
                self._hand_over(worker, control, task)

    def _hand_over(self, worker: WorkerProcess, control: ProcessRun, task: bytes) -> None:
        """Send a task to its worker."""
        with contextlib.suppress(ChannelClosedError):  # its death is dealt with elsewhere
            worker.channel.send(("run", control.run.id, task, control.run.restored))
            self._send_unsent(worker, control)

    def _send_unsent(self, worker: WorkerProcess, control: ProcessRun) -> None:
        """Send what was said about a run while its task was on its way."""
        while True:
            with self._lock:
                if control.worker is not worker:
                    return  # that one is dead, and the run waits for another, or is over
                words, control.unsent = control.unsent, []
                if not words:
                    control.sent = True
                    return
            for verb in words:
                worker.channel.send((verb, control.run.id))

    def _finish(self, worker: WorkerProcess, control: ProcessRun) -> None:
        with self._lock:
            control.stop_timer()
            worker.run = control.worker = None
            worker.used_at = worker.idle_since = time.monotonic()
            if worker.phase is Phase.BUSY:
                worker.phase = Phase.IDLE
        self._upkeep.note_idle()

    def send(self, control: ProcessRun, verb: str) -> None:
        """Send a word about a run to the worker that has it."""
        with self._lock:
            worker = control.worker
            if not control.sent:
                # A large task takes its time through the pipe; who cancels must not wait.
                control.unsent.append(verb)
                return
        if worker is not None:
            with contextlib.suppress(ChannelClosedError):  # its death is dealt with elsewhere
                worker.channel.send((verb, control.run.id))

    def cancel(self, control: ProcessRun, grace: float = CANCEL_GRACE) -> None:
        """Ask a run to stop, and kill its worker if it has not within `grace` seconds."""
        with self._lock:
            if not control.hurry(grace, has_worker=control.worker is not None):
                return
            waiting = control in self._waiting
            if waiting:
                self._waiting.remove(control)
            elif control.worker is not None:
                control.strike_in_time(self._kill_worker_of)
        if not waiting:
            self.send(control, "cancel")
        if waiting or control.abandoned:
            control.run.tell(messages.Cancelled())
        if control.abandoned:
            self._replenish()

    def _kill_worker_of(self, control: ProcessRun) -> None:
        with self._lock:
            if (worker := control.worker) is not None:
                logger.info("worker %d does not stop: killed", worker.process.pid)
                # Should the task end this very moment, no other may be sent here.
                worker.phase = Phase.DEAD
                worker.kill()

    def on_ready(self, worker: WorkerProcess) -> None:
        """Put a worker to use that has finished its imports."""
        with self._lock:
            self._startup_failures = 0
            worker.phase = Phase.IDLE
            worker.idle_since = time.monotonic()
        self._upkeep.note_idle()
        self._assign()
        self._replenish()

    def on_message(self, worker: WorkerProcess, run_id: str, message: Any) -> None:
        """Pass on what a task tells; after its last word the worker is free."""
        control = worker.run
        if control is None or control.run.id != run_id:
            logger.debug("a message of a run that is over: %r", message)
            return
        is_over = False
        if isinstance(message, messages.Stoppable):
            control.stoppable = message.possible
        if isinstance(message, messages.Succeeded | messages.Failed | messages.Cancelled):
            self._finish(worker, control)
            is_over = True
        if not control.abandoned:
            control.run.tell(message)
        if is_over:
            self._assign()

    def on_death(self, worker: WorkerProcess) -> None:
        """End the run that a dead worker had, and replace the worker."""
        reason = worker.cause_of_death()
        with self._lock:
            control = worker.run
            started = worker.phase is not Phase.STARTING
            worker.phase = Phase.DEAD
            self._workers.remove(worker)
            orphans: list[ProcessRun] = []
            if not started and not self._closed:
                self._startup_failures += 1
                logger.warning("a worker process could not start: %s", reason)
                if self._startup_failures >= MAX_STARTUP_FAILURES and not self._workers:
                    orphans = list(self._waiting)
                    self._waiting.clear()
        if control is not None:
            self._finish(worker, control)
            if not control.abandoned:
                control.run.tell(control.last_word(reason))
        for orphan in orphans:
            error = WorkerDiedError(f"worker processes cannot start: {reason}")
            orphan.run.tell(messages.Failed(error))
        self._replenish()
        self._assign()

    def shutdown(self, timeout: float) -> bool:
        """Let the workers leave, and kill those that do not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._upkeep.close()
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
            workers = list(self._workers)
        for control in [*waiting, *(w.run for w in workers if w.run is not None)]:
            control.cancel()
        for worker in workers:
            if worker.phase is Phase.STARTING:
                worker.kill()  # it has nothing to finish, and does not listen yet
            else:
                with contextlib.suppress(ChannelClosedError):  # it has left already
                    worker.channel.send(("exit",))
        grace = min(CANCEL_GRACE, timeout / 2)
        patience = time.monotonic() + grace
        for worker in workers:
            if not worker.join(max(0.0, patience - time.monotonic())):
                worker.kill()
        return all([w.join(max(0.05, deadline - time.monotonic())) for w in workers])
