"""A subscriber's mailbox, and the two readers of one: a thread, and `async for`.

A slow subscriber loses progress and partial results that newer ones have superseded, but never a
change of state.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from rheojobs.engine.events import JobEvent, PartialResult, ProgressMade

__all__ = ["Caller", "Listener", "Mailbox", "Subscriber", "TakesEvents"]

logger = logging.getLogger(__name__)

Subscriber = Callable[[JobEvent], object]

KEPT = 16
"""The most reports of one job and stage, or partial results of one job, in a mailbox."""

LINGER = 1.0
"""Seconds for which the thread of an empty mailbox waits before it ends."""


class TakesEvents(Protocol):
    """An object that events can be put into, such as a `queue.Queue`."""

    def put(self, event: Any, /) -> object:
        """Take an event."""
        ...


class Mailbox:
    """The events for one subscriber, in order, without those that were superseded.

    Parameters
    ----------
    notify : callable
        Called, by the thread that puts an event, when there is something to take.
    """

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._news: OrderedDict[int, JobEvent] = OrderedDict()
        self._superseded: dict[tuple[str, ...], deque[int]] = {}
        self._dropping = False
        self.closed = False

    def __bool__(self) -> bool:
        return bool(self._news)

    def put(self, event: JobEvent) -> None:
        """Add an event; if there are too many reports of its stage, drop the oldest of them."""
        with self._lock:
            if self._dropping:
                return
            number = next(self._numbers)
            if (key := _lossy_key(event)) is not None:
                waiting = self._superseded.setdefault(key, deque())
                waiting.append(number)
                if len(waiting) > KEPT:
                    del self._news[waiting.popleft()]
            self._news[number] = event
        self._notify()

    def take(self) -> JobEvent | None:
        """Remove and return the oldest event; None if there is none."""
        with self._lock:
            if not self._news:
                return None
            _, event = self._news.popitem(last=False)
            if (key := _lossy_key(event)) is not None:
                waiting = self._superseded[key]
                waiting.popleft()
                if not waiting:
                    del self._superseded[key]
            return event

    def close(self) -> None:
        """Declare that no more events will come."""
        self.closed = True
        self._notify()

    def discard(self) -> None:
        """Drop all events, present and future."""
        with self._lock:
            self._dropping = True
            self._news.clear()
            self._superseded.clear()
        self.close()


def _lossy_key(event: JobEvent) -> tuple[str, ...] | None:
    if isinstance(event, ProgressMade):
        return (event.job_id, event.progress.stage)
    if isinstance(event, PartialResult):
        return (event.job_id,)
    return None


class Caller:
    """Calls a subscriber with the events of its mailbox, on a thread that ends when idle."""

    def __init__(self, subscriber: Subscriber | TakesEvents) -> None:
        self._callback = subscriber if callable(subscriber) else subscriber.put
        self._changed = threading.Condition()
        self._fresh = False
        self._thread: threading.Thread | None = None
        self._calling = threading.RLock()
        self.mailbox = Mailbox(self._notify)

    def _notify(self) -> None:
        with self._changed:
            self._fresh = True
            self._changed.notify()
            if self._thread is None and (self.mailbox or not self.mailbox.closed):
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="rheojobs-subscriber", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except BaseException:  # the next notification tries again
            self._thread = None
            raise

    def start_again(self) -> bool:
        """Start the thread if there are events and it does not run; False if that fails again."""
        with self._changed:
            if self._thread is None and self.mailbox:
                try:
                    self._start()
                except RuntimeError:
                    return False
        return True

    def stop(self) -> None:
        """Drop all events; after this returns, the subscriber is not called any more.

        It waits for a call that is in progress, unless it is made from within that call.
        """
        self.mailbox.discard()
        with self._calling:
            pass

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread; returns at once in the thread itself."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            self._call_all()
            with self._changed:
                if not self._fresh and not self.mailbox.closed:
                    self._changed.wait(LINGER)
                if not self._fresh:
                    self._thread = None
                    return
                self._fresh = False

    def _call_all(self) -> None:
        while self._call_next():
            pass

    def _call_next(self) -> bool:
        with self._calling:  # an event that was taken is delivered before `stop` returns, or never
            if (event := self.mailbox.take()) is None:
                return False
            try:
                self._callback(event)
            except BaseException:  # the other subscribers must still be called
                logger.exception("a subscriber failed")
            return True


class Listener:
    """Yields the events of its mailbox to an `async for`, in the event loop that created it."""

    def __init__(self) -> None:
        import asyncio  # late: only asyncio programs need it, and they have loaded it already

        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.mailbox = Mailbox(self._notify)

    def _notify(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed
            self._loop.call_soon_threadsafe(self._news.set)

    def stop(self) -> None:
        """Drop all events."""
        self.mailbox.discard()

    async def __aiter__(self) -> AsyncIterator[JobEvent]:
        while True:
            self._news.clear()
            closed = self.mailbox.closed
            while (event := self.mailbox.take()) is not None:
                yield event
            if closed:
                return
            await self._news.wait()
