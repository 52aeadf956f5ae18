from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from rheojobs import JobEngine, TaskContext
from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.job_model import FRACTION_ROLE, JobColumn, JobTableModel, job_state
from rheojobs.qt.widgets.job_table import JobTable


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    with JobEngine("threads", max_workers=2) as engine:
        yield engine


def text(model: JobTableModel, row: int, column: JobColumn) -> str:
    return str(model.index(row, column).data())


def state(model: JobTableModel, row: int) -> JobState:
    return job_state(model.index(row, 0))


def until_cancelled(context: TaskContext) -> None:
    context.progress(3, 4, "three of four")
    while True:
        context.check()
        time.sleep(0.005)


def fails() -> None:
    raise ValueError("no such luck")


def test_shows_jobs_from_before_and_new_ones_first(engine: JobEngine, qtbot: QtBot) -> None:
    engine.run(int).result(5)
    model = JobTableModel(engine)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    assert model.rowCount() == 1
    engine.run(fails)
    qtbot.waitUntil(lambda: model.rowCount() == 2 and state(model, 0) is JobState.FAILED)
    assert text(model, 0, JobColumn.NAME) == "fails"
    assert text(model, 0, JobColumn.PROGRESS) == "ValueError: no such luck"
    assert state(model, 1) is JobState.SUCCEEDED
    model.close()


def test_the_button_cancels_what_is_selected(engine: JobEngine, qtbot: QtBot) -> None:
    table = JobTable(engine)
    qtbot.addWidget(table)
    table.show()
    engine.run(until_cancelled)
    model = table.model
    qtbot.waitUntil(lambda: model.rowCount() == 1 and model.index(0, 0).data(FRACTION_ROLE) == 0.75)
    assert text(model, 0, JobColumn.PROGRESS) == "three of four"
    assert not table.cancel_button.isEnabled()
    table.view.selectRow(0)
    assert table.cancel_button.isEnabled()
    table.grab()  # draws the bar too
    qtbot.mouseClick(table.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: state(model, 0) is JobState.CANCELLED)
    assert not table.cancel_button.isEnabled()
    assert text(model, 0, JobColumn.ELAPSED).endswith("s")


def test_a_flood_of_events_is_shown_in_few_updates(engine: JobEngine, qtbot: QtBot) -> None:
    model = JobTableModel(engine)
    updates: list[float] = []
    model.dataChanged.connect(lambda *_: updates.append(time.monotonic()))
    begun = time.monotonic()
    for _ in range(300):
        engine.run(int)
    qtbot.waitUntil(
        lambda: (
            model.rowCount() == 300
            and all(state(model, row) is JobState.SUCCEEDED for row in range(300))
        )
    )
    took = time.monotonic() - begun
    # Ticks of the elapsed time come on top, five a second for each of two running jobs.
    assert len(updates) <= 30 * took + 10 * took + 2
    model.close()


def test_a_model_deleted_while_jobs_run_is_left_in_peace(engine: JobEngine, qtbot: QtBot) -> None:
    table = JobTable(engine)
    go = threading.Event()
    job = engine.run(go.wait)
    table.deleteLater()
    with qtbot.waitSignal(table.destroyed):
        pass
    go.set()
    assert job.result(5)
    assert engine.wait(5)
