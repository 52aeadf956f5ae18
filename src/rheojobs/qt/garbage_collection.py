"""`GarbageCollection`: Python's cycles are collected in the thread of the window, in no other.

Python collects in whichever thread allocates, so also in those of an engine. Objects of Qt that
are collected there are deleted later, in the middle of whatever the thread of the window does:
PySide's list of them is not safe against additions, and Qt's objects are not safe against threads.
"""

from __future__ import annotations

import gc
import time

from rheojobs.qt.binding import QObject, QTimer
from rheojobs.qt.single_shot import single_shot

__all__ = ["GarbageCollection"]

INTERVAL_MS = 200
SHARE = 0.02
"""How much of the thread's time collections of everything may take."""

SETTLED_MS = 10_000
"""When the modules that a window loads after its first paint are there too."""


class GarbageCollection(QObject):
    """Collects cycles in the thread that makes it, between events, in place of Python's collector.

    An application makes one, after its `QApplication` and its imports. What exists then, mostly
    modules, is not looked at any more, nor what exists ten seconds later: to look at all of it
    takes 0.2 s, in which a window stands still. `stop` gives the work back to Python.

    Parameters
    ----------
    parent : QObject, optional
        The Qt parent, such as the application. When it is deleted, Python collects again.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._next_of_all = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self.destroyed.connect(_give_back)
        gc.disable()
        gc.freeze()
        single_shot(SETTLED_MS, self, gc.freeze)
        self._timer.start(INTERVAL_MS)

    def stop(self) -> None:
        """Let Python collect by itself again."""
        self._timer.stop()
        _give_back()

    def collect(self) -> None:
        """Collect the generations that have as many new objects as Python's thresholds allow."""
        counts, most = gc.get_count(), gc.get_threshold()
        due = [
            n for n, (count, limit) in enumerate(zip(counts, most, strict=True)) if count > limit
        ]
        begun = time.monotonic()
        if 2 in due and begun >= self._next_of_all:
            gc.collect()
            now = time.monotonic()
            self._next_of_all = now + (now - begun) / SHARE
        elif due:
            gc.collect(min(max(due), 1))


def _give_back() -> None:
    gc.unfreeze()
    gc.enable()
