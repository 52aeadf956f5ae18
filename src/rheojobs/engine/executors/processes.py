"""Tasks in warm worker processes: started once, used again and again, replaced when they die.

A worker is an interpreter of our own making (no fork, no re-import of the user's main
module, no semaphores): it has imported what tasks need before the first of them comes, and
it cannot outlive the application. A task that does not stop when asked loses its process.
"""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from io import BufferedReader, BufferedWriter
from typing import Any, BinaryIO, cast

import cloudpickle

from rheojobs.engine import messages
from rheojobs.engine.executors.base import Executor, Run, RunControl
from rheojobs.engine.executors.channel import Channel, ChannelClosedError

__all__ = ["ProcessExecutor"]

logger = logging.getLogger(__name__)

CANCEL_GRACE = 1.5
"""Seconds that a task has to stop by itself before its process is killed."""

ABANDONED_GRACE = 20.0
"""The same for a task that has said that it cannot stop, and for which nobody waits any more."""

RELEASE_GRACE = 10.0
"""The same for a task that only prepares others: a killed worker would delay them longer."""

MAX_STARTUP_FAILURES = 3
"""Workers that die one after another before they are ready, until we give up."""

_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])['path']; "
    "from rheojobs.engine.executors.worker import main; main()"
)


class _Phase(enum.Enum):
    STARTING = enum.auto()
    IDLE = enum.auto()
    BUSY = enum.auto()
    DEAD = enum.auto()


class _WorkerProcess:
    """A process, the channel to it, and the thread that listens to it."""

    def __init__(self, executor: ProcessExecutor, preload: tuple[str, ...], nice: int) -> None:
        self._executor = executor
        self.phase = _Phase.STARTING
        self.run: _ProcessRun | None = None
        self.affinities: set[str] = set()
        self.used_at = 0.0
        self._last_words: deque[str] = deque(maxlen=40)
        posix = os.name == "posix"
        self._lifeline: int | None = None
        read_end: int | None = None
        if posix:
            read_end, self._lifeline = os.pipe()
        path = [entry for entry in sys.path if isinstance(entry, str)]
        config = {"path": path, "preload": preload, "lifeline": read_end, "nice": nice}
        try:
            self.process = subprocess.Popen(
                # -P: what lies in the working folder must not pose as the standard library.
                [sys.executable, "-P", "-c", _BOOTSTRAP, json.dumps(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(read_end,) if read_end is not None else (),
                # Ctrl-C in the terminal is for the application; and a kill takes along
                # whatever the task has started.
                start_new_session=posix,
            )
        except BaseException:
            if self._lifeline is not None:
                os.close(self._lifeline)
            raise
        finally:
            if read_end is not None:
                os.close(read_end)
        stdin, stdout = self.process.stdin, self.process.stdout
        self.channel = Channel(cast(BufferedReader, stdout), cast(BufferedWriter, stdin))
        name = f"rheojobs-worker-{self.process.pid}"
        self._listener = threading.Thread(target=self._listen, name=name, daemon=True)
        self._scribe = threading.Thread(target=self._note_words, name=f"{name}-err", daemon=True)

    def begin(self) -> None:
        """Listen to the process; called once, when the executor knows of this worker."""
        self._scribe.start()
        self._listener.start()

    def _listen(self) -> None:
        while True:
            try:
                origin, message = self.channel.receive()
            except ChannelClosedError:
                break
            except Exception as error:  # the result names classes that are not to be had here
                logger.exception("a message of worker %d cannot be read", self.process.pid)
                if (run := self.run) is not None:
                    run.undelivered = error
                break
            if origin == "ready":
                self._executor.on_ready(self)
            else:
                self._executor.on_message(self, origin, message)
            del message  # a result must not live on here until the worker speaks again
        self.kill()
        self.process.wait()
        self._scribe.join(0.5)
        self._release()
        self._executor.on_death(self)

    def _note_words(self) -> None:
        stream = cast(BinaryIO, self.process.stderr)
        for line in stream:
            words = line.decode(errors="replace").rstrip()
            self._last_words.append(words)
            logger.debug("worker %d: %s", self.process.pid, words)
        stream.close()

    def _release(self) -> None:
        self.channel.close()
        cast(BinaryIO, self.process.stdout).close()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def kill(self) -> None:
        """End the process and whatever it has started; at once, whatever it does."""
        if os.name != "posix":
            self.process.kill()
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended already
            os.killpg(self.process.pid, signal.SIGKILL)

    def join(self, timeout: float) -> bool:
        """Wait until the process is gone and its death was dealt with."""
        self._listener.join(timeout)
        return not self._listener.is_alive()

    def cause_of_death(self) -> str:
        """Say in words how the process ended."""
        code = self.process.returncode
        if code is not None and code < 0:
            try:
                how = f"killed by {signal.Signals(-code).name}"
            except ValueError:
                how = f"killed by signal {-code}"
        else:
            how = f"exit status {code}"
        words = [line for line in self._last_words if line.strip()]
        fatal = [line for line in words if line.startswith("Fatal")]
        return f"{how}; {(fatal or words)[-1]}" if words else how


class _ProcessRun(RunControl):
    """A run on its way through waiting, a worker, and its end."""

    def __init__(self, executor: ProcessExecutor, run: Run) -> None:
        self._executor = executor
        self.run = run
        self.worker: _WorkerProcess | None = None
        self.cancelled = False
        self.grace = math.inf
        self.undelivered: Exception | None = None
        self.timer: threading.Timer | None = None
        self.sent = False
        self.sent_before = False
        self.started = False
        self.stoppable = True
        self.abandoned = False
        self.unsent: list[str] = []
        self.affinity = str(getattr(run.task, "affinity", ""))

    def cancel(self) -> None:
        self._executor.cancel(self)

    def release(self) -> None:
        self._executor.cancel(self, RELEASE_GRACE)

    def pause(self) -> None:
        self._executor.send(self, "pause")

    def resume(self) -> None:
        self._executor.send(self, "resume")

    def inspect(self) -> None:
        self._executor.send(self, "inspect")


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
    """

    def __init__(
        self,
        max_workers: int = 4,
        *,
        preload: tuple[str, ...] = (),
        spares: int = 1,
        nice: int = 5,
    ) -> None:
        if max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, got {max_workers}")
        self.capacity = max_workers
        self._preload = preload
        self._spares = spares
        self._nice = nice
        self._lock = threading.RLock()
        self._workers: list[_WorkerProcess] = []
        self._waiting: deque[_ProcessRun] = deque()
        self._startup_failures = 0
        self._closed = False
        self._replenish()

    def start(self, run: Run) -> RunControl:
        """Take on a run: it goes to an idle worker now, or to the next that is ready."""
        control = _ProcessRun(self, run)
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

    def worker_pids(self) -> list[int]:
        """Give the process ids of the workers that live."""
        with self._lock:
            return [worker.process.pid for worker in self._workers]

    def wait_until_warm(self, timeout: float) -> bool:
        """Wait until a worker is ready to take a task; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._lock:
                if any(worker.phase is _Phase.IDLE for worker in self._workers):
                    return True
            time.sleep(0.01)
        return False

    def _replenish(self) -> None:
        with self._lock:
            if self._closed or self._startup_failures >= MAX_STARTUP_FAILURES:
                return
            busy = sum(worker.phase is _Phase.BUSY for worker in self._workers)
            wanted = max(1, min(busy + len(self._waiting), self.capacity))
            if not any(worker.phase is _Phase.STARTING for worker in self._workers):
                # Spares come when the others are ready: their imports must not slow them down.
                wanted += self._spares if busy else 0
            orphans: list[_ProcessRun] = []
            while len(self._workers) < wanted:
                try:
                    worker = _WorkerProcess(self, self._preload, self._nice)
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
            orphan.run.tell(messages.Died(reason))

    def _assign(self) -> None:
        """Give waiting runs to idle workers."""
        while True:
            with self._lock:
                idle = [w for w in self._workers if w.phase is _Phase.IDLE]
                if not idle or not self._waiting:
                    return
                control = self._waiting.popleft()
                affinity = control.affinity
                worker = max(idle, key=lambda w: (affinity in w.affinities, w.used_at))
                worker.phase = _Phase.BUSY
                worker.run, control.worker = control, worker
                if affinity:
                    worker.affinities.add(affinity)
            run = control.run
            try:
                task = cloudpickle.dumps(run.task, protocol=pickle.HIGHEST_PROTOCOL)
            except Exception as error:  # whatever pickling raises is the task's failure
                self._finish(worker, control)
                reason = f"the task cannot be sent to another process: {error}"
                run.tell(messages.Failed(TypeError(reason)))
                continue
            with contextlib.suppress(ChannelClosedError):  # its death is dealt with elsewhere
                worker.channel.send(("run", run.id, task, run.restored))
                self._send_unsent(worker, control)

    def _send_unsent(self, worker: _WorkerProcess, control: _ProcessRun) -> None:
        """Send what was said about a run while its task was on its way."""
        while True:
            with self._lock:
                words, control.unsent = control.unsent, []
                if not words:
                    control.sent = True
                    return
            for verb in words:
                worker.channel.send((verb, control.run.id))

    def _finish(self, worker: _WorkerProcess, control: _ProcessRun) -> None:
        with self._lock:
            if control.timer is not None:
                control.timer.cancel()
            worker.run = control.worker = None
            worker.used_at = time.monotonic()
            if worker.phase is _Phase.BUSY:
                worker.phase = _Phase.IDLE

    def send(self, control: _ProcessRun, verb: str) -> None:
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

    def cancel(self, control: _ProcessRun, grace: float = CANCEL_GRACE) -> None:
        """Ask a run to stop, and kill its worker if it has not within `grace` seconds.

        A run that cannot stop is left to finish for nobody: its compilation is of use yet.
        """
        with self._lock:
            if control.abandoned:
                return
            if control.worker is not None and not control.stoppable:
                control.abandoned = True
                grace = ABANDONED_GRACE
            elif grace >= control.grace:
                return
            control.cancelled, control.grace = True, grace
            waiting = control in self._waiting
            if waiting:
                self._waiting.remove(control)
            elif control.worker is not None:
                if control.timer is not None:
                    control.timer.cancel()
                control.timer = threading.Timer(grace, self._kill_worker_of, (control,))
                control.timer.daemon = True
                control.timer.start()
        if not waiting:
            self.send(control, "cancel")
        if waiting or control.abandoned:
            control.run.tell(messages.Cancelled())
        if control.abandoned:
            self._replenish()

    def _kill_worker_of(self, control: _ProcessRun) -> None:
        with self._lock:
            if (worker := control.worker) is not None:
                logger.info("worker %d does not stop: killed", worker.process.pid)
                # Should the task end this very moment, no other may be sent here.
                worker.phase = _Phase.DEAD
                worker.kill()

    def on_ready(self, worker: _WorkerProcess) -> None:
        """Put a worker to use that has finished its imports."""
        with self._lock:
            self._startup_failures = 0
            worker.phase = _Phase.IDLE
        self._assign()
        self._replenish()

    def on_message(self, worker: _WorkerProcess, run_id: str, message: Any) -> None:
        """Pass on what a task tells; after its last word the worker is free."""
        control = worker.run
        if control is None or control.run.id != run_id:
            logger.debug("a message of a run that is over: %r", message)
            return
        control.started = True
        if isinstance(message, messages.Stoppable):
            control.stoppable = message.possible
        if isinstance(message, messages.Succeeded | messages.Failed | messages.Cancelled):
            self._finish(worker, control)
        if not control.abandoned:
            control.run.tell(message)
        self._assign()

    def on_death(self, worker: _WorkerProcess) -> None:
        """End the run that a dead worker had, and replace the worker."""
        reason = worker.cause_of_death()
        with self._lock:
            control = worker.run
            started = worker.phase is not _Phase.STARTING
            worker.phase = _Phase.DEAD
            self._workers.remove(worker)
            orphans: list[_ProcessRun] = []
            if not started and not self._closed:
                self._startup_failures += 1
                logger.warning("a worker process could not start: %s", reason)
                if self._startup_failures >= MAX_STARTUP_FAILURES and not self._workers:
                    orphans = list(self._waiting)
                    self._waiting.clear()
        if control is not None:
            self._finish(worker, control)
            if not control.abandoned and not self._send_again(control):
                control.run.tell(self._last_word(control, reason))
        for orphan in orphans:
            orphan.run.tell(messages.Died(f"worker processes cannot start: {reason}"))
        self._replenish()
        self._assign()

    def _send_again(self, control: _ProcessRun) -> bool:
        """Let a run wait for another worker where it had not begun: that death was not its doing.

        Once only, since a task may kill its worker while it is being unpickled.
        """
        with self._lock:
            if control.started or control.sent_before or control.cancelled or self._closed:
                return False
            control.sent_before, control.sent = True, False
            self._waiting.appendleft(control)
            return True

    @staticmethod
    def _last_word(control: _ProcessRun, reason: str) -> messages.Message:
        if control.cancelled:
            return messages.Cancelled()
        if control.undelivered is not None:
            text = f"the result cannot be read in this process: {control.undelivered}"
            return messages.Failed(TypeError(text))
        return messages.Died(f"the worker process died: {reason}")

    def shutdown(self, timeout: float) -> bool:
        """Let the workers leave, and kill those that do not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
            workers = list(self._workers)
        for control in [*waiting, *(w.run for w in workers if w.run is not None)]:
            control.cancel()
        for worker in workers:
            if worker.phase is _Phase.STARTING:
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
