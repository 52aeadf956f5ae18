"""What is to be done later, and when. Pure: the time is an argument."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

__all__ = ["Timers"]


class Timers:
    """Actions, each with the time (s) from which it is due."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def add(self, at: float, action: Callable[[], None]) -> None:
        """Note an action."""
        heapq.heappush(self._entries, (at, next(self._order), action))

    def take_due(self, now: float) -> list[Callable[[], None]]:
        """Take out what is due, the oldest first."""
        due = []
        while self._entries and self._entries[0][0] <= now:
            due.append(heapq.heappop(self._entries)[2])
        return due

    def seconds_left(self, now: float) -> float | None:
        """Give the seconds until something is due; None where nothing is noted."""
        return max(0.0, self._entries[0][0] - now) if self._entries else None
