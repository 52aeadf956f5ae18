"""Actions that are due later: their order, cancelling, and the thread that calls them."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.timers import Timers, TimerThread


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans())), st.floats(0, 100))
def test_due_in_order_but_for_the_cancelled(entries: list[tuple[float, bool]], now: float) -> None:
    timers, called, expected = Timers(), [], []
    for number, (at, is_cancelled) in enumerate(entries):
        timer = timers.add(at, lambda number=number: called.append(number))  # type: ignore[misc]
        if is_cancelled:
            timer.cancel()
        elif at <= now:
            expected.append((at, number))
    for action in timers.take_due(now):
        action()
    assert called == [number for _, number in sorted(expected)]
    later = [at for at, is_cancelled in entries if not is_cancelled and at > now]
    assert len(timers) == len(later)
    assert timers.seconds_left(now) == (min(later) - now if later else None)


def test_a_cancelled_action_is_freed_at_once() -> None:
    class Held:
        pass

    held = Held()
    reference = weakref.ref(held)
    timers = Timers()
    timers.add(1.0, print)
    timer = timers.add(3600.0, lambda held=held: print(held))  # type: ignore[misc]
    del held
    timer.cancel()
    gc.collect()
    assert reference() is None


@pytest.mark.promise("no-loop-ends")
@pytest.mark.alone
def test_the_thread_calls_in_time_and_survives_what_fails() -> None:
    thread = TimerThread("test-timers")
    called: list[str] = []
    done = threading.Event()

    def fail() -> None:
        called.append("fails")
        raise ValueError("on purpose")

    begin = time.monotonic()
    thread.call_later(0.10, done.set)
    thread.call_later(0.05, lambda: called.append("second"))
    thread.call_later(0.02, fail)
    thread.call_later(0.03, lambda: called.append("never")).cancel()
    assert done.wait(5.0)
    assert time.monotonic() - begin >= 0.1
    assert called == ["fails", "second"]
    thread.close()


def test_a_thread_that_cannot_be_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    thread, called, done = TimerThread("test-timers"), [], threading.Event()

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        thread.call_later(0.0, lambda: called.append("first"))
    thread.call_later(0.01, done.set)
    assert done.wait(5.0)
    assert called == ["first"]
    thread.close()
