"""What the Qt tests share: pools with warm workers, and a recorder of their signals."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.qt.helpers import OF_THE_PLUGIN, Recorder, decay_data

from rheojobs import Dataset, WorkerPool


@pytest.fixture(scope="module", params=["processes", "threads"])
def pool(request: pytest.FixtureRequest, qapp: object) -> Iterator[WorkerPool]:
    """A pool of two workers of either kind."""
    made = WorkerPool(2, executor=request.param)
    yield made
    assert made.shutdown(timeout_ms=10_000)


@pytest.fixture(scope="module", autouse=True)
def _no_garbage() -> Iterator[None]:
    """Let closed windows go while nothing runs, not in the middle of another module's test."""
    yield
    gc.collect()


@pytest.fixture
def recorder(pool: WorkerPool, qtbot: object) -> Iterator[Recorder]:
    """Records the pool's signals during one test; at its end nothing may be left running."""
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
    """Qt says nothing during a test: pytest-qt's message handler hears it."""
    yield
    said = [record.message for record in qtlog.records if OF_THE_PLUGIN not in record.message]
    assert said == []
