"""A worker process as the application sees it: its pipes, its last words, and how it died.

Knows no tasks: what it receives goes to its owner.
"""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from io import BufferedReader, BufferedWriter
from typing import TYPE_CHECKING, BinaryIO, cast

from rheojobs.engine.executors.processes.channel import Channel, ChannelClosedError

if TYPE_CHECKING:
    from rheojobs.engine.executors.processes.pool import ProcessExecutor
    from rheojobs.engine.executors.processes.run import ProcessRun

__all__ = ["Phase", "WorkerProcess"]

logger = logging.getLogger(__name__)

_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])['path']; "
    "from rheojobs.engine.executors.processes.worker_main import main; main()"
)


class Phase(enum.StrEnum):
    """What a worker does."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    DEAD = "dead"


class WorkerProcess:
    """A process, the channel to it, and the thread that listens to it."""

    def __init__(
        self,
        executor: ProcessExecutor,
        preload: tuple[str, ...],
        nice: int,
        env: Mapping[str, str],
    ) -> None:
        self._executor = executor
        self.phase = Phase.STARTING
        self.run: ProcessRun | None = None
        self.affinities: set[str] = set()
        self.used_at = 0.0
        self.idle_since = 0.0
        self.env = env
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
                env={**os.environ, **env} if env else None,
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
