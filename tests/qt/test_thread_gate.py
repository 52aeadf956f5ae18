"""The gate between threads loses nothing, and delivers nothing once it is closed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QCoreApplication, QObject, QThread, Signal
from tests.qt.helpers import delete

from rheojobs.qt.thread_gate import ThreadGate

THREADS, ITEMS = 8, 2000


class Owner(QObject):
    """Receives what comes through a gate."""

    woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.received: list[Any] = []
        self.wakings = 0
        self.threads: set[QThread] = set()
        self.receive: Callable[[Any], object] = self.received.append
        self.gate = ThreadGate(self, self.woken, self.on_woken)

    def on_woken(self) -> None:
        self.wakings += 1
        self.threads.add(QThread.currentThread())
        self.gate.deliver(self.receive)


class Batches(Owner):
    """Takes some items at a time, as the table of jobs does."""

    def on_woken(self) -> None:
        self.threads.add(QThread.currentThread())
        items, more = self.gate.take(7)
        self.received += items
        if more:
            self.woken.emit()


def posting(gate: ThreadGate) -> list[threading.Thread]:
    """Post from many threads at once; an item has the number of its thread, and its own."""
    together = threading.Barrier(THREADS)

    def post(thread: int) -> None:
        together.wait()
        for number in range(ITEMS):
            gate.put((thread, number))

    threads = [threading.Thread(target=post, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.parametrize("kind", [Owner, Batches])
def test_nothing_is_lost_and_each_thread_s_items_keep_their_order(
    kind: type[Owner], qtbot: QtBot
) -> None:
    owner = kind()
    threads = posting(owner.gate)
    qtbot.waitUntil(lambda: len(owner.received) >= THREADS * ITEMS, timeout=30_000)
    for thread in threads:
        thread.join()
    QCoreApplication.processEvents()
    assert Counter(owner.received) == Counter(
        (thread, number) for thread in range(THREADS) for number in range(ITEMS)
    )
    for thread_number in range(THREADS):
        numbers = [number for thread, number in owner.received if thread == thread_number]
        assert numbers == sorted(numbers)
    assert owner.threads == {QThread.currentThread()}


def test_an_owner_that_is_deleted_and_has_not_said_so_closes_the_gate() -> None:
    owner = Owner()
    gate = owner.gate
    owner.destroyed.disconnect(gate.close)
    delete(owner)
    gate.put("too late")
    assert not gate.is_open


def test_one_waking_is_for_all_that_wait() -> None:
    owner = Owner()
    for number in range(100):
        owner.gate.put(number)
    QCoreApplication.processEvents()
    assert owner.received == list(range(100))
    assert owner.wakings == 1


def test_a_long_queue_lets_the_event_loop_have_its_turn(qtbot: QtBot) -> None:
    owner = Owner()
    for number in range(3):
        owner.gate.put(number)
    owner.gate.deliver(owner.receive, budget=0.0)
    assert owner.received == [0]
    qtbot.waitUntil(lambda: owner.received == [0, 1, 2])


def test_an_error_loses_no_other_item(qtbot: QtBot) -> None:
    owner = Owner()

    def receive(item: int) -> None:
        if item == 1:
            raise ValueError("a fault of the receiver")
        owner.received.append(item)

    owner.receive = receive
    with qtbot.captureExceptions() as errors:
        for item in range(4):
            owner.gate.put(item)
        qtbot.waitUntil(lambda: owner.received == [0, 2, 3])
    assert [str(error) for _, error, _ in errors] == ["a fault of the receiver"]


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_nothing_comes_out_after_the_end(how: str, qtbot: QtBot) -> None:
    parent = QObject()
    owner = Owner(parent)
    gate, received = owner.gate, owner.received
    threads = posting(gate)
    qtbot.waitUntil(lambda: len(received) > 100, timeout=30_000)
    if how == "closed":
        gate.close()
    else:
        with qtbot.waitSignal(parent.destroyed):
            parent.deleteLater()
    assert not gate.is_open
    count = len(received)
    for thread in threads:
        thread.join()
    gate.put("too late")
    QCoreApplication.processEvents()
    gate.deliver(received.append)
    assert gate.take(10) == ([], False)
    assert len(received) == count
    assert "too late" not in received


def test_a_receiver_may_close_it() -> None:
    owner = Owner()

    def receive(item: int) -> None:
        owner.received.append(item)
        owner.gate.close()

    owner.receive = receive
    for item in range(3):
        owner.gate.put(item)
    QCoreApplication.processEvents()
    assert owner.received == [0]
