"""Periodic checks of a pool: the memory of its workers, and the workers that are idle."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rheojobs.engine.executors.memory import MEMORY_INTERVAL

__all__ = ["WorkerMonitor"]

logger = logging.getLogger(__name__)


class WorkerMonitor:
    """A thread that checks the workers while there is something to check.

    Measuring memory takes time, so this thread is not that of the timers.

    Parameters
    ----------
    memory : callable
        Checks the memory; returns whether to check again soon.
    idle : callable
        Ends one idle worker; returns the seconds until the next is due, None for never.
    """

    def __init__(self, memory: Callable[[], bool], idle: Callable[[], float | None]) -> None:
        self._memory = memory
        self._idle = idle
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._has_date = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Check now; if no thread can be started, at the next call that can start one."""
        self._wake.set()
        if self._thread is None:
            with self._lock:
                self._start()

    def _start(self) -> None:
        if self._thread is not None or self._closed:
            return
        thread = threading.Thread(target=self._run, name="rheojobs-monitor", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            logger.info("the workers cannot be monitored: no thread can be started now")
            return
        self._thread = thread

    def note_idle(self) -> None:
        """Note that a worker has become idle: it is due after those that became idle before."""
        if not self._has_date:
            self.wake()

    def close(self) -> None:
        """Let the thread end."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            seconds = self._look()
            self._has_date = seconds is not None
            self._wake.wait(seconds)

    def _look(self) -> float | None:
        """Check everything; return the seconds until the next check."""
        try:
            watching, due = self._memory(), self._idle()
        except BaseException:  # a fault must not end this thread: the limits must still be checked
            logger.exception("the workers cannot be checked")
            return MEMORY_INTERVAL
        if watching:
            return MEMORY_INTERVAL if due is None else min(due, MEMORY_INTERVAL)
        return due
