"""Telling those who subscribed, in the order of events, from one thread that does nothing else.

A slow subscriber delays the other subscribers, never the engine. Knows events, not jobs.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rheojobs.engine.events import JobEvent

__all__ = ["Publisher", "Subscriber", "Subscription"]

logger = logging.getLogger(__name__)

Subscriber = Callable[[JobEvent], object]


@dataclass(eq=False)
class Subscription:
    """One who wants to know, and of which job; None stands for all."""

    callback: Subscriber
    job_id: str | None
    active: bool = True

    def tell(self, event: JobEvent) -> None:
        """Pass an event on."""
        if self.active:
            self.callback(event)


class Publisher:
    """A thread that calls what it is given, one after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._news: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rheojobs-events", daemon=True)
        self._thread.start()

    def subscribe(self, callback: Subscriber, job_id: str | None = None) -> Subscription:
        """Have `callback` called with each event, or with each of one job."""
        subscription = Subscription(callback, job_id)
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription: no call begins any more."""
        subscription.active = False
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def tell(self, event: JobEvent, *, private: bool = False) -> None:
        """Tell an event to all whom it concerns, later and in the publisher's thread.

        A private one concerns those alone who subscribed to its job.
        """
        with self._lock:
            for subscription in self._subscriptions:
                if subscription.job_id == event.job_id or (
                    subscription.job_id is None and not private
                ):
                    self._pass_on(partial(subscription.tell, event))

    def call(self, function: Callable[[], None]) -> None:
        """Call a function when all that was told before has been passed on."""
        self._pass_on(function)

    def close(self) -> None:
        """Let the thread end when all that was told before has been passed on."""
        self._pass_on(None)

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread; not in the thread itself."""
        if not self.is_here():
            self._thread.join(timeout)

    def is_here(self) -> bool:
        """Say whether the publisher's own thread is asking."""
        return threading.current_thread() is self._thread

    def _pass_on(self, delivery: Callable[[], None] | None) -> None:
        """Have something delivered after all that came before; None is the end."""
        self._news.put(delivery)

    def _run(self) -> None:
        while (deliver := self._news.get()) is not None:
            try:
                deliver()
            except BaseException:  # a subscriber's fault must not take the news from the others
                logger.exception("a subscriber or a callback failed")
            del deliver  # a result must not live on here until there are other news
