"""Fixtures of the Qt tests: pools with warm workers, and a recorder of their signals."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qtpy.QtCore import QObject
from tests.qt.helpers import OF_THE_PLUGIN, Recorder, decay_data

from rheojobs import Dataset, WorkerPool
from rheojobs.qt.garbage_collection import GarbageCollection


@pytest.fixture(scope="module", params=["processes", "threads"])
def pool(request: pytest.FixtureRequest, qapp: object) -> Iterator[WorkerPool]:
    """Make a pool of two workers, on processes and on threads."""
    made = WorkerPool(2, executor=request.param)
    yield made
    assert made.shutdown(timeout_ms=10_000)


@pytest.fixture(scope="module", autouse=True)
def _garbage_collection(qapp: QObject) -> Iterator[None]:
    """Delete what cycles hold in this thread, as the window does, and all of it between modules."""
    collection = GarbageCollection()
    yield
    collection.stop()
    gc.collect()


@pytest.fixture
def recorder(pool: WorkerPool, qtbot: object) -> Iterator[Recorder]:
    """Record the pool's signals during one test; at its end nothing may be running."""
    made = Recorder(pool, qtbot)
    yield made
    pool.cancel_all()
    made.wait(lambda: not pool.is_busy())
    made.disconnect()


@pytest.fixture
def data() -> Dataset:
    """A relaxation with one time."""
    return decay_data()


@pytest.fixture(autouse=True)
def quiet_qt(qtlog: Any) -> Iterator[None]:
    """Check that Qt logs nothing during a test, by pytest-qt's message handler."""
    yield
    said = [record.message for record in qtlog.records if OF_THE_PLUGIN not in record.message]
    assert said == []
