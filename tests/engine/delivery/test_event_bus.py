"""The event bus: what is promised to those who subscribe, whatever happens to threads."""

from __future__ import annotations

import threading
import time

import pytest
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine import JobEvent, JobState, StateChanged
from rheojobs.engine.delivery.event_bus import EventBus
from rheojobs.engine.delivery.mailboxes import Caller


def event(number: int) -> StateChanged:
    return StateChanged("a", float(number), None, JobState.QUEUED)


def test_after_unsubscribe_no_call_begins_or_goes_on() -> None:
    for _ in range(200):
        bus = EventBus()
        is_over, late, calls = threading.Event(), [], []

        def subscriber(news: JobEvent, is_over=is_over, late=late, calls=calls) -> None:
            calls.append(news)
            if is_over.is_set():
                late.append(news)
            time.sleep(0.0001)
            if is_over.is_set():
                late.append(news)

        unsubscribe = bus.subscribe(Caller(subscriber))
        for number in range(20):
            bus.publish(event(number))
        wait_until(lambda calls=calls: calls)
        unsubscribe()
        is_over.set()
        bus.close()
        bus.join(TIMEOUT)
        assert not late


def test_unsubscribe_from_within_the_call() -> None:
    bus, seen = EventBus(), []

    def once(news: JobEvent) -> None:
        seen.append(news)
        unsubscribe()

    unsubscribe = bus.subscribe(Caller(once))
    for number in range(5):
        bus.publish(event(number))
    bus.close()
    bus.join(TIMEOUT)
    assert seen == [event(0)]


def test_a_thread_that_cannot_be_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, seen, others = EventBus(), [], []
    start = threading.Thread.start
    refusals = iter([True, True, False])

    def sometimes(self: threading.Thread) -> None:
        if self.name == "rheojobs-subscriber" and next(refusals, False):
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", sometimes)
    bus.subscribe(Caller(seen.append))
    bus.publish(event(1))
    wait_until(lambda: seen)  # no further event needs to come
    bus.subscribe(Caller(others.append))
    bus.publish(event(2))
    bus.close()
    bus.join(TIMEOUT)
    assert seen == [event(1), event(2)]
    assert others == [event(2)]
