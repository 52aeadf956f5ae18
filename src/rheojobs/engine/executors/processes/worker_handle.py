"""The application's handle of a worker process: its pipes, its last output, its cause of death."""

from __future__ import annotations

import enum
import logging
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from io import BufferedReader, BufferedWriter
from typing import Any, BinaryIO, cast

from rheojobs.engine.executors import process_family
from rheojobs.engine.executors.processes import lifeline
from rheojobs.engine.executors.processes.channel import Channel, ChannelClosedError
from rheojobs.engine.executors.processes.guard import guard
from rheojobs.errors import one_line

__all__ = ["Phase", "WorkerHandle"]

logger = logging.getLogger(__name__)

_MAIN = "rheojobs.engine.executors.processes.worker_main"


class Phase(enum.StrEnum):
    """The phases of a worker."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    DEAD = "dead"


class WorkerHandle:
    """A process, the channel to it, and the thread that reads from it.

    Parameters
    ----------
    preload : tuple of str
        Functions ``"package.module:function"`` that the worker calls before it is ready.
    nice : int
        The niceness of the process.
    env : mapping of str to str
        Environment variables in addition to the application's.
    on_ready, on_message, on_death : callable
        Called on the thread that reads, with this handle: after the preload; with each message
        (the id of the run, and the message); and once, when the process has ended.

    Attributes
    ----------
    phase : Phase
        What the worker does, according to its pool.
    affinities : set of str
        The affinities of its tasks so far.
    used_at, idle_since : float
        When it last ended a task, and since when it has been idle (`time.monotonic`).
    error : Exception or None
        Why its messages could not be read any more, so that it was killed.
    """

    def __init__(
        self,
        preload: tuple[str, ...],
        nice: int,
        env: Mapping[str, str],
        *,
        on_ready: Callable[[WorkerHandle], object],
        on_message: Callable[[WorkerHandle, str, Any], object],
        on_death: Callable[[WorkerHandle], object],
    ) -> None:
        self._on_ready = on_ready
        self._on_message = on_message
        self._on_death = on_death
        self.phase = Phase.STARTING
        self.affinities: set[str] = set()
        self.used_at = 0.0
        self.idle_since = 0.0
        self.env = env
        self.error: Exception | None = None
        self._last_words: deque[str] = deque(maxlen=40)
        self._reaping = threading.Lock()
        self._is_reaped = False
        self._lifeline: int | None = None
        self.process = self._start(preload, nice)
        stdin, stdout = self.process.stdin, self.process.stdout
        self.channel = Channel(cast(BufferedReader, stdout), cast(BufferedWriter, stdin))
        name = f"rheojobs-worker-{self.process.pid}"
        self._reader = threading.Thread(target=self._listen, name=name, daemon=True)
        self._scribe = threading.Thread(target=self._note_words, name=f"{name}-err", daemon=True)

    def _start(self, preload: tuple[str, ...], nice: int) -> subprocess.Popen[bytes]:
        read_end: int | None = None
        if lifeline.kernel_ends_workers():
            read_end, self._lifeline = os.pipe()
        try:
            process = subprocess.Popen(
                process_family.python_command(
                    _MAIN,
                    preload=preload,
                    lifeline=read_end,
                    nice=nice,
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(read_end,) if read_end is not None else (),
                # Ctrl-C in the terminal must only reach the application, and a kill must
                # also end the processes that the task has started.
                **process_family.start_apart(nice),
                env={**os.environ, **self.env} if self.env else None,
            )
        except BaseException:
            if self._lifeline is not None:
                os.close(self._lifeline)
            raise
        finally:
            if read_end is not None:
                os.close(read_end)
        if read_end is None:
            guard.watch(process.pid)
        return process

    def begin(self) -> None:
        """Start to read from the process; called once, when its pool can handle messages.

        Raises
        ------
        RuntimeError
            If no thread can be started; the process has been ended then.
        """
        try:
            self._scribe.start()
            self._reader.start()
        except BaseException:
            self._end()
            raise

    # ---------------------------------------------------------------- in the thread that reads

    def _listen(self) -> None:
        """Pass on messages until the process has ended, or a message cannot be processed."""
        try:
            self._read()
        except BaseException as error:  # an internal fault ends this worker, not the thread
            logger.exception("the messages of worker %d cannot be processed", self.process.pid)
            text = f"a message of its worker process cannot be processed: {one_line(error)}"
            self.error = RuntimeError(text)
        try:
            self._end()
        except BaseException:
            logger.exception("worker %d cannot be ended", self.process.pid)
        try:
            self._on_death(self)
        except BaseException:
            logger.exception("the end of worker %d cannot be handled", self.process.pid)

    def _read(self) -> None:
        while True:
            try:
                origin, message = self.channel.receive()
            except ChannelClosedError:
                return
            except Exception as error:  # the result refers to classes that cannot be imported here
                logger.exception("a message of worker %d cannot be read", self.process.pid)
                words = str(error) or type(error).__name__
                self.error = TypeError(f"the result cannot be read in this process: {words}")
                return
            if origin == "ready":
                self._on_ready(self)
            else:
                self._on_message(self, origin, message)
            del message  # else it would keep a result in memory until the next message

    def _end(self) -> None:
        self.kill()
        self._reap()
        if self._scribe.ident is not None:
            self._scribe.join(0.5)
        else:  # the thread could not be started
            cast(BinaryIO, self.process.stderr).close()
        self.channel.close()
        cast(BinaryIO, self.process.stdout).close()
        self._close_lifeline()

    def _reap(self) -> None:
        """Wait for the end of the process, which was killed."""
        pause = 0.0005
        while True:
            with self._reaping:  # after that, another process may have its number
                if self.process.poll() is not None:
                    self._is_reaped = True
                    return
            time.sleep(pause)
            pause = min(2.0 * pause, 0.05)

    def _close_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        else:
            guard.release(self.process.pid)

    def _note_words(self) -> None:
        """Store the last lines that the process writes to its standard error."""
        try:
            with cast(BinaryIO, self.process.stderr) as stream:
                for line in stream:
                    words = line.decode(errors="replace").rstrip()
                    self._last_words.append(words)
                    logger.debug("worker %d: %s", self.process.pid, words)
        except (
            Exception
        ):  # such as a log handler's: the process must not block for lack of a reader
            logger.exception("the messages of worker %d cannot be logged", self.process.pid)
            self.kill()

    # ---------------------------------------------------------------- from any thread

    def kill(self) -> None:
        """Kill the process and all that it has started, at once."""
        with self._reaping:
            if self._is_reaped:
                return
            process_family.kill_family(self.process.pid)

    def join(self, timeout: float) -> bool:
        """Wait until the process has ended and its death was handled."""
        self._reader.join(timeout)
        return not self._reader.is_alive()

    def cause_of_death(self) -> str:
        """Return how the process ended, in words."""
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
