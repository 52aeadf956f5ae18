"""Telling those who subscribed, each from a mailbox of its own, so that none waits for another.

One thread sorts the news in the order in which they came. A subscriber that is slow loses
progress and partial results that newer ones have made worthless, and never a change of state.
Knows events, not jobs.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import threading
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, Protocol

from rheojobs.engine.events import JobEvent, PartialResult, ProgressMade

__all__ = ["Caller", "EventBus", "Listener", "Mailbox", "Subscriber", "TakesEvents"]

logger = logging.getLogger(__name__)

Subscriber = Callable[[JobEvent], object]
First = Callable[[], "Callable[[], None] | None"]

KEPT = 16
"""Reports of one job and stage, and partial results of one job, that wait for a subscriber."""

LINGER = 1.0
"""Seconds for which the thread of a mailbox stays when there are no news."""


class TakesEvents(Protocol):
    """What events can be put into, such as a `queue.Queue`."""

    def put(self, event: Any, /) -> object:
        """Take an event."""
        ...


class Mailbox:
    """The news for one subscriber, in their order; what is superseded makes room.

    Parameters
    ----------
    notify : callable
        Called, by the thread that puts, when there is something to take.
    """

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._news: OrderedDict[int, JobEvent] = OrderedDict()
        self._superseded: dict[tuple[str, ...], deque[int]] = {}
        self._dropping = False
        self.closed = False

    def put(self, event: JobEvent) -> None:
        """Add an event; of many reports of one stage the oldest that still waits goes."""
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
        """Take out the oldest event; None where there is none."""
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
        """Say that nothing more will come."""
        self.closed = True
        self._notify()

    def discard(self) -> None:
        """Drop what is there, and what will come."""
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
    """Calls a subscriber with what is in its mailbox, from a thread that lives while it must."""

    def __init__(self, subscriber: Subscriber | TakesEvents) -> None:
        self._callback = subscriber if callable(subscriber) else subscriber.put
        self._news = threading.Condition()
        self._fresh = False
        self._thread: threading.Thread | None = None
        self.mailbox = Mailbox(self._notify)

    def _notify(self) -> None:
        with self._news:
            self._fresh = True
            self._news.notify()
            if self._thread is None and not self.mailbox.closed:
                self._thread = threading.Thread(
                    target=self._run, name="rheojobs-subscriber", daemon=True
                )
                self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread; not in the thread itself."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            self._call_all()
            with self._news:
                if not self._fresh and not self.mailbox.closed:
                    self._news.wait(LINGER)
                if not self._fresh:
                    self._thread = None
                    return
                self._fresh = False

    def _call_all(self) -> None:
        while (event := self.mailbox.take()) is not None:
            try:
                self._callback(event)
            except BaseException:  # a subscriber's fault is nobody else's
                logger.exception("a subscriber failed")


class Listener:
    """Gives what is in its mailbox to an `async for`, in the event loop in which it was made."""

    def __init__(self) -> None:
        import asyncio  # late: whoever has a running loop has loaded it

        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.mailbox = Mailbox(self._notify)

    def _notify(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._news.set)

    async def __aiter__(self) -> AsyncIterator[JobEvent]:
        while True:
            self._news.clear()
            closed = self.mailbox.closed
            while (event := self.mailbox.take()) is not None:
                yield event
            if closed:
                return
            await self._news.wait()


class EventBus:
    """A thread that hands out news, and calls what it is given, one after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._listening: dict[str | None, list[Caller | Listener]] = defaultdict(list)
        self._news: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rheojobs-events", daemon=True)
        self._thread.start()

    def subscribe(
        self,
        who: Caller | Listener,
        job_id: str | None = None,
        first: Sequence[JobEvent] = (),
    ) -> Callable[[], None]:
        """Have each event put into a mailbox, or each of one job, and before them those of `first`.

        Gives what ends the subscription.
        """
        with self._lock:
            over = self._over
            if not over:
                self._listening[job_id].append(who)
                if first:
                    self._pass_on(partial(_put_all, who.mailbox, first))
        if over:
            _put_all(who.mailbox, first)
            who.mailbox.close()
        return partial(self._unsubscribe, who, job_id)

    def _unsubscribe(self, who: Caller | Listener, job_id: str | None) -> None:
        who.mailbox.discard()
        with self._lock:
            others = self._listening.get(job_id, [])
            if who in others:
                others.remove(who)
            if not others:
                self._listening.pop(job_id, None)

    def tell(
        self,
        event: JobEvent,
        *,
        private: bool = False,
        first: First | None = None,
    ) -> None:
        """Tell an event to all who subscribe now, later and in other threads.

        Parameters
        ----------
        private : bool
            Whether it concerns those alone who subscribed to its job.
        first : callable, optional
            Is called before, in this thread or another one; it must not wait for anything. What
            it gives is called in the thread that hands out the news.
        """
        if first is not None:
            self._do_first(first)
        if not self._listening:  # whoever subscribes this moment is told what comes next
            return
        with self._lock:
            boxes = [who.mailbox for who in self._listening.get(event.job_id, ())]
            if not private:
                boxes += [who.mailbox for who in self._listening.get(None, ())]
            if boxes:
                self._pass_on(partial(_put_into, boxes, event))

    def flush(self) -> None:
        """Have what was told pass on at once, as somebody waits for it; not with a lock held."""

    def call(self, function: Callable[[], None]) -> None:
        """Call a function when all that was told before has been handed out."""
        self._pass_on(function)

    def close(self) -> None:
        """Let the thread end when all that was told before has been handed out."""
        self._pass_on(None)

    def join(self, timeout: float) -> None:
        """Wait until all who subscribed were told all; no thread waits for itself."""
        deadline = time.monotonic() + timeout
        if not self.is_here():
            self._thread.join(timeout)
        with self._lock:
            callers = [w for listed in self._listening.values() for w in listed]
        for caller in callers:
            if isinstance(caller, Caller):
                caller.join(max(0.0, deadline - time.monotonic()))

    def is_here(self) -> bool:
        """Say whether the publisher's own thread is asking."""
        return threading.current_thread() is self._thread

    def _do_first(self, first: First) -> None:
        if (then := first()) is not None:
            self._pass_on(then)

    def _pass_on(self, delivery: Callable[[], None] | None) -> None:
        """Have something delivered after all that came before; None is the end."""
        self._news.put(delivery)

    def _run(self) -> None:
        while (deliver := self._news.get()) is not None:
            self._deliver(deliver)
            del deliver  # a result must not live on here until there are other news
        while not self._is_over():  # what came after the wish to close
            if (deliver := self._news.get()) is not None:
                self._deliver(deliver)
                del deliver

    def _is_over(self) -> bool:
        with self._lock:
            if self._news.empty():
                self._over = True
                for who in [w for listed in self._listening.values() for w in listed]:
                    who.mailbox.close()
            return self._over

    @staticmethod
    def _deliver(deliver: Callable[[], None]) -> None:
        try:
            deliver()
        except BaseException:  # a callback's fault must not take the news from the others
            logger.exception("a callback failed")


def _put_into(mailboxes: Sequence[Mailbox], event: JobEvent) -> None:
    for mailbox in mailboxes:
        try:
            mailbox.put(event)
        except RuntimeError:  # no thread is to be had for this one; the others get theirs
            logger.exception("a subscriber cannot be told")


def _put_all(mailbox: Mailbox, events: Sequence[JobEvent]) -> None:
    for event in events:
        mailbox.put(event)
