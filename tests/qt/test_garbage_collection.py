"""Objects in cycles are deleted in the thread of the window, whichever thread allocates."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject

from rheojobs.qt.garbage_collection import GarbageCollection


@pytest.fixture(autouse=True)
def _python_collects() -> Iterator[None]:
    """Let Python collect at first; afterwards it does or does not, as before."""
    was_enabled = gc.isenabled()
    gc.enable()
    yield
    if not was_enabled:
        gc.disable()


@pytest.fixture
def collection(qapp: QObject) -> Iterator[GarbageCollection]:
    gc.collect()
    made = GarbageCollection(qapp)
    yield made
    made.stop()
    made.deleteLater()


class Noted:
    """Notes the thread in which it is collected."""

    def __init__(self, deaths: list[threading.Thread]) -> None:
        self.deaths = deaths
        self.cycle = self

    def __del__(self) -> None:
        self.deaths.append(threading.current_thread())


def in_a_thread() -> list[list[object]]:
    """Let another thread allocate more than Python's thresholds allow."""
    made: list[list[object]] = []
    thread = threading.Thread(target=lambda: made.extend([] for _ in range(200_000)))
    thread.start()
    thread.join()
    return made


def test_without_it_another_thread_collects(qapp: object) -> None:
    deaths: list[threading.Thread] = []
    Noted(deaths)
    in_a_thread()
    assert deaths
    assert deaths[0] is not threading.main_thread()


def test_with_it_the_thread_of_the_window_collects(
    collection: GarbageCollection, qtbot: QtBot
) -> None:
    deaths: list[threading.Thread] = []
    Noted(deaths)
    _made = in_a_thread()
    assert deaths == []
    qtbot.waitUntil(lambda: bool(deaths), timeout=10_000)
    assert deaths == [threading.main_thread()]


def test_old_cycles_are_collected_too(collection: GarbageCollection, qtbot: QtBot) -> None:
    deaths: list[threading.Thread] = []
    old = Noted(deaths)
    for _ in range(3):
        gc.collect(1)  # it grows old
    del old

    def come() -> bool:
        in_a_thread()
        return bool(deaths)

    qtbot.waitUntil(come, timeout=30_000)


def test_stopped_or_deleted_python_collects_again(qapp: QObject, qtbot: QtBot) -> None:
    first, second = GarbageCollection(), GarbageCollection()
    assert not gc.isenabled()
    first.stop()
    assert gc.isenabled()
    gc.disable()
    with qtbot.waitSignal(second.destroyed):
        second.deleteLater()
    assert gc.isenabled()


def test_what_was_there_before_is_not_looked_at_until_it_stops(qapp: QObject) -> None:
    gc.collect()
    gc.unfreeze()
    made = GarbageCollection(qapp)
    assert gc.get_freeze_count() > 10_000  # the modules of the tests alone
    made.stop()
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()
    made.deleteLater()
