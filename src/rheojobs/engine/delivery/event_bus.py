"""The event bus: one thread that delivers events to subscribers in the order of publication."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from rheojobs.engine.delivery.mailboxes import Caller, Listener, Mailbox
from rheojobs.engine.events import JobEvent
from rheojobs.engine.loops import call_logged

__all__ = ["Delivery", "EventBus", "to_nobody"]

logger = logging.getLogger(__name__)

Delivery = Callable[[], object]

RETRY_SECONDS = 0.1
"""Seconds until the bus tries again to start the thread of a subscriber."""


class EventBus:
    """Subscribers, and the thread that puts events into their mailboxes.

    Attributes
    ----------
    route : callable
        Takes each delivery; `put`, unless a recorder writes events first and then calls `put`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._subscribers: dict[str | None, list[Caller | Listener]] = defaultdict(list)
        self._news: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._unstarted: set[Caller] = set()
        self.route: Callable[[Delivery], None] = self.put
        self._thread = threading.Thread(target=self._run, name="rheojobs-events", daemon=True)
        self._thread.start()

    def subscribe(
        self,
        who: Caller | Listener,
        job_id: str | None = None,
        first: Sequence[JobEvent] = (),
    ) -> Callable[[], None]:
        """Put the events of `first`, then each event, or each of one job, into a mailbox.

        Returns a function that ends the subscription.
        """
        with self._lock:
            over = self._over
            if not over:
                self._subscribers[job_id].append(who)
                if first:
                    self.route(partial(self._put_all, who, first))
        if over:
            self._put_all(who, first)
            who.mailbox.close()
        return partial(self._unsubscribe, who, job_id)

    def _unsubscribe(self, who: Caller | Listener, job_id: str | None) -> None:
        with self._lock:
            others = self._subscribers.get(job_id, [])
            if who in others:
                others.remove(who)
            if not others:
                self._subscribers.pop(job_id, None)
        who.stop()

    def publish(self, event: JobEvent, *, private: bool = False) -> None:
        """Deliver an event, later and on other threads, to all present subscribers.

        Parameters
        ----------
        private : bool
            Whether it is delivered only to subscribers of its job.
        """
        self.delivery(event, private=private)()

    def delivery(self, event: JobEvent, *, private: bool = False) -> Delivery:
        """Return a function that delivers an event to all present subscribers."""
        if not self._subscribers:  # one that is being added now gets the events that follow
            return to_nobody
        with self._lock:
            listening = list(self._subscribers.get(event.job_id, ()))
            if not private:
                listening += self._subscribers.get(None, ())
        if not listening:
            return to_nobody
        return partial(self.route, partial(self._put_into, listening, event))

    def put(self, delivery: Delivery) -> None:
        """Make a delivery after all earlier ones."""
        self._news.put(delivery)

    def close(self) -> None:
        """Let the thread end after all earlier deliveries."""
        self._news.put(None)

    def join(self, timeout: float) -> None:
        """Wait until all subscribers have received all events; no thread waits for itself."""
        deadline = time.monotonic() + timeout
        if not self.is_here():
            self._thread.join(timeout)
        for caller in self._callers():
            caller.join(max(0.0, deadline - time.monotonic()))

    def is_here(self) -> bool:
        """Return whether the caller runs on the bus's own thread."""
        return threading.current_thread() is self._thread

    def _callers(self) -> list[Caller]:
        with self._lock:
            return [w for all_ in self._subscribers.values() for w in all_ if isinstance(w, Caller)]

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            call_logged(delivery, "a delivery")
            del delivery  # else it would keep a result in memory until the next event
        while not self._is_over():  # deliveries that came after `close`
            if (delivery := self._news.get()) is not None:
                call_logged(delivery, "a delivery")
                del delivery

    def _next(self) -> Delivery | None:
        """Wait for a delivery; meanwhile try again to start threads that failed to start."""
        while self._unstarted:
            try:
                return self._news.get(timeout=RETRY_SECONDS)
            except queue.Empty:
                self._unstarted = {c for c in self._unstarted if not c.start_again()}
        return self._news.get()

    def _is_over(self) -> bool:
        with self._lock:
            if self._news.empty():
                self._over = True
                for who in [w for listed in self._subscribers.values() for w in listed]:
                    _close(who.mailbox)
            return self._over

    def _put_into(self, listening: Sequence[Caller | Listener], event: JobEvent) -> None:
        for who in listening:
            self._put_all(who, (event,))

    def _put_all(self, who: Caller | Listener, events: Sequence[JobEvent]) -> None:
        for event in events:
            try:
                who.mailbox.put(event)
            except RuntimeError:  # no thread can be started for this one now
                logger.warning("a subscriber cannot be called yet: no thread can be started")
                if isinstance(who, Caller):
                    self._unstarted.add(who)


def to_nobody() -> None:
    """Deliver nothing: there is no subscriber."""


def _close(mailbox: Mailbox) -> None:
    try:
        mailbox.close()
    except RuntimeError:
        logger.warning("a subscriber cannot be called: no thread can be started")
