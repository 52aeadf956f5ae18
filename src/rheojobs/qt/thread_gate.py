"""`ThreadGate`: a queue that passes items from other threads to the thread of a Qt object.

No item is lost before the gate is closed, and none is delivered afterwards.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from rheojobs.qt.binding import QObject, Qt, SignalInstance, is_alive

__all__ = ["ThreadGate"]

BUDGET = 0.008
"""Seconds that one delivery may take before the event loop runs again."""


class ThreadGate:
    """A queue that any thread fills and the thread of a Qt object empties.

    It outlives the object's C++ part: once that is deleted, nothing is emitted any more.

    Parameters
    ----------
    owner : QObject
        The gate closes when the owner is deleted.
    wake : SignalInstance
        A signal of the owner, without arguments. It is emitted once for all waiting items.
    awake : callable
        Called by that signal in the owner's thread; it calls `deliver` or `take`, now or later.
    """

    def __init__(self, owner: QObject, wake: SignalInstance, awake: Callable[[], object]) -> None:
        self._lock = threading.RLock()
        self._items: deque[Any] = deque()
        self._owner = weakref.ref(owner)
        self._wake = wake
        self._is_awake = False
        self._is_open = True
        wake.connect(awake, Qt.ConnectionType.QueuedConnection)
        owner.destroyed.connect(self.close)

    @property
    def is_open(self) -> bool:
        """Whether the gate still accepts items."""
        return self._is_open

    def put(self, item: Any) -> None:
        """Put an item in, from any thread; drop it if the gate is closed."""
        with self._lock:
            if self._is_open:
                self._items.append(item)
                if not self._is_awake:
                    self._is_awake = True
                    self._emit()

    def _emit(self) -> None:
        """Wake the owner; close the gate if it is being deleted and has not said so yet."""
        owner = self._owner()
        if owner is None or not is_alive(owner):  # PyQt would crash, where PySide raises
            self.close()
            return
        try:
            self._wake.emit()
        except RuntimeError:
            self.close()

    def take(self, most: int) -> tuple[list[Any], bool]:
        """Return a limited number of items, oldest first, and whether there are more.

        If there are, the owner is not woken again: the caller takes the rest.
        """
        with self._lock:
            items = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._is_awake = bool(self._items)
            return items, self._is_awake

    def deliver(self, receive: Callable[[Any], object], budget: float = BUDGET) -> None:
        """Call `receive` with one item after another; wake the owner again for the rest.

        Parameters
        ----------
        receive : callable
            Called in this thread, which is the owner's. If it raises, `sys.excepthook` gets the
            error, and no other item is lost.
        budget : float
            Seconds after which the rest waits for the next wake-up.
        """
        deadline = time.monotonic() + budget
        try:
            while self._items:  # only this thread takes items out
                item = self._items.popleft()
                try:
                    receive(item)
                except Exception:  # PyQt would end the process; PySide would do the same as here
                    sys.excepthook(*sys.exc_info())
                if time.monotonic() > deadline:
                    break
        finally:
            with self._lock:
                self._is_awake = bool(self._items)
                if self._is_awake:
                    self._emit()

    def close(self, *_: object) -> None:
        """Close the gate: accept and deliver nothing more."""
        with self._lock:
            self._is_open = False
            self._items.clear()
