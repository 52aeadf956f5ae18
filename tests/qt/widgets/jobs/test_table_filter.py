"""The table of jobs is filtered, and stays quick with thousands of jobs and events."""

from __future__ import annotations

import statistics
import threading
import time

from pytestqt.qtbot import QtBot
from qtpy.QtTest import QAbstractItemModelTester
from qtpy.QtWidgets import QApplication
from tests.qt.widgets.jobs.helpers import LONG, choose, shown, state, text

from rheojobs import JobEngine
from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.jobs.columns import JobColumn, Scope
from rheojobs.qt.widgets.jobs.rows import JobRow
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.widgets.jobs.table_model import JobTableModel

S = JobState


def test_the_filter_finds_words_and_keeps_the_selection(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    model = table.model
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    go = threading.Event()
    for number in range(40):
        engine.submit(int, name=f"count {number % 4}")
    engine.submit(go.wait, name="wait for it")
    qtbot.waitUntil(lambda: model.rowCount() == 41 and engine.active_count() == 1, timeout=LONG)
    choose(table, 6)
    chosen = [row.job_id for row in table.selected_rows()]
    assert "2" in text(model, 6, JobColumn.NAME)
    qtbot.keyClicks(table.filter, "COUNT 2")
    assert model.rowCount() == 10
    table.filter.setText("")
    assert [row.job_id for row in table.selected_rows()] == chosen
    table.scope.setCurrentIndex(Scope.OPEN)
    qtbot.waitUntil(lambda: model.rowCount() == 1, timeout=LONG)
    assert text(model, 0, JobColumn.NAME) == "wait for it"
    go.set()
    qtbot.waitUntil(lambda: model.rowCount() == 0, timeout=LONG)
    table.scope.setCurrentIndex(Scope.ENDED)
    assert model.rowCount() == 41
    engine.submit(int, name="count 2")
    qtbot.waitUntil(lambda: model.rowCount() == 42, timeout=LONG)


def test_filtering_thousands_of_jobs_takes_a_few_milliseconds(
    engine: JobEngine, qtbot: QtBot
) -> None:
    """Processor time of typing a letter and of all that follows, for any selection."""
    table = shown(JobTable(engine), qtbot)
    model = table.model
    names = ("maxwell", "zener")
    model._add(
        [
            JobRow(f"{number:032x}", f"sample {number}", S.SUCCEEDED, model=names[number % 2])
            for number in range(6000)
        ]
    )
    QApplication.processEvents()
    ways: dict[str, list[float]] = {}
    for _ in range(5):
        for selected in ("none", "all"):
            for words in ("z", "ze", "zener 7", "sample", "succeeded", "nothing", ""):
                if selected == "all":
                    table.view.selectAll()
                else:
                    table.view.clearSelection()
                QApplication.processEvents()
                began = time.thread_time()
                table.filter.setText(words)
                QApplication.processEvents()
                table.verbs.refresh()
                ways.setdefault(f"{words}, {selected} selected", []).append(
                    time.thread_time() - began
                )
    medians = {way: statistics.median(times) for way, times in ways.items()}
    # For comparison, the tool tips of all rows: slow on a slow machine.
    began = time.thread_time()
    for _ in range(5):
        for row in model.rows_between(0, 5999):
            row.hint()
    yardstick = (time.thread_time() - began) / 5
    assert max(medians.values()) < 3 * yardstick, (yardstick, medians)
    table.filter.setText("zener 77")
    assert model.rowCount() == len([n for n in range(1, 6000, 2) if "77" in str(n)])
    table.close_down()


def test_a_flood_of_events_is_shown_in_few_updates(engine: JobEngine, qtbot: QtBot) -> None:
    model = JobTableModel(engine)
    updates: list[float] = []
    model.dataChanged.connect(lambda *_: updates.append(time.monotonic()))
    begun = time.monotonic()
    for _ in range(300):
        engine.run(int)
    qtbot.waitUntil(
        lambda: (
            model.rowCount() == 300 and all(state(model, row) is S.SUCCEEDED for row in range(300))
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
