"""Timers: a queue of actions by their due time, and a thread that calls them."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from rheojobs.engine.loops import call_logged

__all__ = ["Timer", "TimerThread", "Timers"]

logger = logging.getLogger(__name__)

Action = Callable[[], object]


class Timer:
    """An action and its due time; `cancel` drops the action at once."""

    __slots__ = ("_action", "at")

    def __init__(self, at: float, action: Action) -> None:
        self.at = at
        self._action: Action | None = action

    def cancel(self) -> None:
        """Drop the action; objects that it refers to are freed now, not at the due time."""
        self._action = None

    @property
    def is_cancelled(self) -> bool:
        """Whether the action was called or dropped."""
        return self._action is None

    def take(self) -> Action | None:
        """Return and remove the action; None if it was cancelled."""
        action, self._action = self._action, None
        return action


class Timers:
    """A queue of actions by due time (s). Pure: the time is an argument."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._compact_at = 64

    def __len__(self) -> int:
        return sum(not timer.is_cancelled for _, _, timer in self._queue)

    def add(self, at: float, action: Action) -> Timer:
        """Add an action."""
        timer = Timer(at, action)
        heapq.heappush(self._queue, (at, next(self._order), timer))
        if len(self._queue) > self._compact_at:
            self._queue = [entry for entry in self._queue if not entry[2].is_cancelled]
            heapq.heapify(self._queue)
            self._compact_at = 2 * len(self._queue) + 64
        return timer

    def take_due(self, now: float) -> list[Action]:
        """Remove and return the actions that are due, the oldest first."""
        due = []
        while self._queue and self._queue[0][0] <= now:
            if (action := heapq.heappop(self._queue)[2].take()) is not None:
                due.append(action)
        return due

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the next action is due; None if there is none."""
        self._drop_cancelled()
        return max(0.0, self._queue[0][0] - now) if self._queue else None

    def _drop_cancelled(self) -> None:
        while self._queue and self._queue[0][2].is_cancelled:
            heapq.heappop(self._queue)


class TimerThread:
    """A daemon thread that calls actions when they are due; the first action starts it.

    An action must not block, since it would delay all others. One that raises is logged.

    Parameters
    ----------
    name : str
        The thread's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._timers = Timers()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def call_later(self, seconds: float, action: Action) -> Timer:
        """Call `action` in `seconds`, on this thread.

        If no thread can be started now, the action waits for the next call that can start one;
        the caller gets no exception.
        """
        with self._changed:
            timer = self._timers.add(time.monotonic() + seconds, action)
            self._start()
            self._changed.notify()
        return timer

    def close(self) -> None:
        """End the thread; actions that are not due yet are dropped."""
        with self._changed:
            self._closed = True
            self._timers = Timers()
            self._changed.notify()

    def _start(self) -> None:
        if self._thread is not None or self._closed:
            return
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread can be started, or the interpreter ends
            logger.info("%s: no thread can be started now", self._name)
            return
        self._thread = thread

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed:
                    left = self._timers.seconds_left(time.monotonic())
                    if left is not None and left <= 0:
                        break
                    self._changed.wait(left)
                if self._closed:
                    return
                due = self._timers.take_due(time.monotonic())
            while due:  # no action is referred to after it was called
                call_logged(due.pop(0), f"{self._name}: a timer's action")
