"""A process that kills the workers when their application has ended, where no kernel does.

It reads from the application which workers there are. The end of its input is the end of the
application, however that came about.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading

from rheojobs.engine.executors import process_family

__all__ = ["Guard", "guard"]

logger = logging.getLogger(__name__)

_END_SECONDS = 5.0
"""Seconds in which a guard that has nothing to watch ends."""


class Guard:
    """The application's handle of its guard, which lives as long as there are workers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the guard's process; None if there is none."""
        process = self._process
        return None if process is None else process.pid

    def watch(self, pid: int) -> None:
        """Kill a worker, with all that it has started, if this application ends before it."""
        with self._lock:
            self._watched.add(pid)
            if self._process is None or not self._wrote(f"+{pid}\n"):
                self._restart()

    def release(self, pid: int) -> None:
        """Forget a worker that has ended; its number may soon be that of another process."""
        with self._lock:
            if pid not in self._watched:
                return
            self._watched.discard(pid)
            if not self._wrote(f"-{pid}\n") and self._watched:
                self._restart()
            if not self._watched:
                self._end()

    def _wrote(self, line: str) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(line.encode())
        except OSError:  # it has been killed
            return False
        return True

    def _restart(self) -> None:
        self._end()
        try:
            self._process = subprocess.Popen(
                process_family.python_command(__name__),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                **process_family.start_apart(),
            )
        except (OSError, RuntimeError) as error:  # too many processes; the interpreter ends
            logger.warning("stuck workers may outlive this application: no guard: %s", error)
            return
        self._wrote("".join(f"+{pid}\n" for pid in self._watched))

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


guard = Guard()
"""The guard of this application."""


def main() -> None:
    """Be the guard: read from the application which workers there are, and outlive it."""
    import psutil

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watched: dict[int, psutil.Process] = {}
    for line in sys.stdin:
        verb, pid = line[0], int(line[1:])
        watched.pop(pid, None)
        if verb == "+":
            with contextlib.suppress(psutil.NoSuchProcess):
                watched[pid] = psutil.Process(pid)
    for pid, process in watched.items():
        # Without groups a number may have been given to another process meanwhile.
        if process_family.HAS_GROUPS or process.is_running():
            process_family.kill_family(pid)
    os._exit(0)
