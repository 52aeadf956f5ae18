"""Threads for callbacks: none waits for another, and none is lost."""

from __future__ import annotations

import threading
import time

import pytest
from tests.engine.helpers import TIMEOUT, wait_until

from rheojobs.engine.delivery import callbacks
from rheojobs.engine.delivery.callbacks import CallbackThreads


def test_a_slow_one_holds_up_no_other() -> None:
    threads, go, done = CallbackThreads(), threading.Event(), []
    for _ in range(5):
        threads.run(lambda: go.wait(TIMEOUT))
    for number in range(20):
        threads.run(lambda number=number: done.append(number))  # type: ignore[misc]
    wait_until(lambda: len(done) == 20)
    go.set()


def test_threads_are_used_again_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "LINGER", 0.05)
    threads, seen = CallbackThreads(), []
    for number in range(100):
        threads.run(lambda: seen.append(threading.get_ident()))
        wait_until(lambda number=number: len(seen) == number + 1)  # type: ignore[misc]
        time.sleep(0.0002)
    assert len(set(seen)) < 50
    wait_until(lambda: not threads._threads)
    threads.run(lambda: seen.append(0))
    wait_until(lambda: seen[-1] == 0)


def test_one_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    threads, done = CallbackThreads(), threading.Event()
    threads.run(lambda: 1 / 0)
    threads.run(done.set)
    assert done.wait(TIMEOUT)
    wait_until(lambda: "division by zero" in caplog.text)


def test_without_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    threads, seen = CallbackThreads(), []
    threads.run(lambda: seen.append(1))
    assert seen == [1]
