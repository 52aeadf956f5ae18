"""Where the engine's events wait for the window."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rheojobs.engine.events import JobEvent

__all__ = ["Inbox"]


class Inbox:
    """Takes events in a thread of the engine's; outlives who empties it, then is silent.

    Parameters
    ----------
    knock : callable
        Called, in that thread, when there is something to take.
    """

    def __init__(self, knock: Callable[[], None]) -> None:
        self._knock: Callable[[], None] | None = knock
        self._lock = threading.Lock()
        self._events: deque[JobEvent] = deque()

    def put(self, event: JobEvent) -> None:
        """Take an event."""
        with self._lock:
            self._events.append(event)
            if len(self._events) == 1 and self._knock is not None:
                self._knock()

    def take(self, most: int) -> tuple[list[JobEvent], bool]:
        """Give so many events at most, the oldest first, and whether there are more."""
        with self._lock:
            events = [self._events.popleft() for _ in range(min(most, len(self._events)))]
            return events, bool(self._events)

    def close(self, *_: object) -> None:
        """Knock no more."""
        with self._lock:
            self._knock = None
