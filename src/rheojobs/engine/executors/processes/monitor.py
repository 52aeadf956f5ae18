"""What must be looked at from time to time: the memory of workers, and those that idle.

Knows how to measure and when to look; what to do about it is the executor's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

__all__ = ["WorkerMonitor", "resident_bytes"]

logger = logging.getLogger(__name__)

MEMORY_INTERVAL = 0.25
"""Seconds between two looks at the memory of workers that have a limit."""


def resident_bytes(pid: int) -> int:
    """Give the resident set of a process and its children in bytes; 0 for one that is gone."""
    import psutil  # not by every engine and every worker that starts

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(map(_own_bytes, family))


def _own_bytes(process: psutil.Process) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended meanwhile
        return 0


class WorkerMonitor:
    """A thread that looks after the workers when there is something to look after.

    Parameters
    ----------
    memory : callable
        Looks after the memory; gives whether to look again soon.
    idle : callable
        Sends off one idle worker; gives the seconds until the next is due, None for never.
    """

    def __init__(self, memory: Callable[[], bool], idle: Callable[[], float | None]) -> None:
        self._memory = memory
        self._idle = idle
        self._wake = threading.Event()
        self._closed = False
        self._has_date = False
        self._thread = threading.Thread(target=self._run, name="rheojobs-upkeep", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def note_idle(self) -> None:
        """Look at a worker that idles since now in time, which is not sooner than at the others."""
        if not self._has_date:
            self._wake.set()

    def close(self) -> None:
        """Let the thread end."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        while True:
            seconds = self._look()
            self._has_date = seconds is not None
            self._wake.wait(seconds)
            self._wake.clear()
            if self._closed:
                return

    def _look(self) -> float | None:
        """Look after all; gives the seconds until the next time."""
        try:
            watching, due = self._memory(), self._idle()
        except Exception:  # a fault here must not leave the others without a limit
            logger.exception("the workers could not be looked after")
            return MEMORY_INTERVAL
        if watching:
            return MEMORY_INTERVAL if due is None else min(due, MEMORY_INTERVAL)
        return due
