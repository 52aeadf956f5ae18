"""The table of jobs: marks, times, sorting, details, and rows that stay under the pointer."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPoint, QRectF, Qt
from qtpy.QtGui import QColor, QGuiApplication, QImage, QPainter, QPalette
from qtpy.QtTest import QAbstractItemModelTester
from qtpy.QtWidgets import QApplication, QMessageBox
from tests.qt.helpers import count_to, decay_data
from tests.qt.widgets.jobs.helpers import LONG, choose, shown, state, text

from rheojobs import JobEngine
from rheojobs.engine.events import Progress
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore
from rheojobs.inference.fits.task import FitTask
from rheojobs.qt.widgets.jobs.columns import FRACTION_ROLE, JobColumn, Scope, job_state
from rheojobs.qt.widgets.jobs.details_dialog import JobDetailsDialog
from rheojobs.qt.widgets.jobs.marks import MARKS, draw_mark
from rheojobs.qt.widgets.jobs.rows import JobRow
from rheojobs.qt.widgets.jobs.state_delegate import state_color, state_mark
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.widgets.jobs.table_model import JobTableModel

S = JobState
C = JobColumn


def fails() -> None:
    raise ValueError("no such luck")


def ended(number: int, took: float, **fields: object) -> JobRow:
    """A job of the past."""
    row = JobRow(f"{number:032x}", f"job {number}", fields.pop("state", S.SUCCEEDED))  # type: ignore[arg-type]
    row.created = row.started = time.time() - 1000 + number
    row.ended = row.started + took
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def names(model: JobTableModel) -> list[str]:
    return [text(model, row, C.NAME) for row in range(model.rowCount())]


def rows_of(table: JobTable) -> list[str]:
    return [row.name for row in table.selected_rows()]


def test_each_state_has_a_mark_of_its_own_that_is_drawn_in_its_colour(qapp: object) -> None:
    pictures = set()
    for name in MARKS:
        image = QImage(32, 32, QImage.Format.Format_ARGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        draw_mark(painter, name, QRectF(4, 4, 24, 24), QColor("red"))
        painter.end()
        pictures.add(tuple(image.pixel(x, y) for x in range(32) for y in range(32)))
    assert len(pictures) == len(MARKS)
    assert len({state_mark(each) for each in S}) == len(S)
    palette = QPalette()
    assert state_color(S.FAILED, palette) != state_color(S.SUCCEEDED, palette)


def test_what_has_ended_has_no_bar_and_says_where_it_was_stopped(qapp: object) -> None:
    row = ended(1, 5, progress=Progress(16, 1000, "iteration 16", "fit"))
    assert row.fraction is None
    assert row.progress_text() == ""
    row.state = S.CANCELLED
    row.progress = Progress(340, 2000, "", "sampling")
    assert row.fraction is None
    assert row.progress_text() == "stopped at sampling 340 / 2,000"
    row.state = S.RUNNING
    assert row.fraction == 0.17


def test_times_tell_jobs_apart(qapp: object) -> None:
    row = ended(1, 5)
    now = time.localtime()
    row.created = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 9, 5, 7, 0, 0, -1))
    assert row.created_text() == "09:05:07"
    row.created -= 400 * 86400
    assert str(time.localtime(row.created).tm_year) in row.created_text()
    for seconds, words in ((4.2, "≈ 4 s"), (300, "≈ 5 min"), (3600 * 2.31, "≈ 2.3 h")):
        row.remaining = seconds
        assert row.remaining_text().replace("\N{NO-BREAK SPACE}", " ") == words
    assert "submitted: " in row.hint()


def test_a_job_that_is_over_before_the_table_looks_has_its_model_and_its_data(
    tmp_path: Path, qtbot: QtBot
) -> None:
    """As it happens to a quick fit while the window is busy: the engine has dropped the job."""
    with JobEngine("processes", max_workers=1, store=tmp_path / "jobs.sqlite3") as engine:
        model = JobTableModel(engine)
        data = dataclasses.replace(decay_data(), name="melt")
        job = engine.submit(FitTask("maxwell", data))
        job.result(60)
        job.forget()
        model.flush()
        assert text(model, 0, C.MODEL) == "maxwell"
        qtbot.waitUntil(lambda: text(model, 0, C.NAME) == "fit melt", timeout=LONG)
        model.close()


def test_a_click_on_a_title_sorts_and_keeps_the_selection(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    model = table.model
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model._add(
        [
            ended(1, 30, model="zener"),
            ended(2, 10, model="maxwell", state=S.FAILED),
            ended(3, 20, model="zener"),
        ]
    )
    assert names(model) == ["job 3", "job 2", "job 1"]
    choose(table, 1)
    header = table.view.horizontalHeader()

    def click(column: JobColumn) -> None:
        place = header.sectionViewportPosition(column) + 8
        qtbot.mouseClick(
            header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place, header.height() // 2)
        )

    click(C.ELAPSED)
    assert names(model) in (["job 2", "job 3", "job 1"], ["job 1", "job 3", "job 2"])
    click(C.MODEL)
    assert names(model) in (["job 2", "job 3", "job 1"], ["job 3", "job 1", "job 2"])
    click(C.STATE)
    order = [state(model, row) for row in range(3)]
    assert order in ([S.FAILED, S.SUCCEEDED, S.SUCCEEDED], [S.SUCCEEDED, S.SUCCEEDED, S.FAILED])
    assert rows_of(table) == ["job 2"]
    model._add([ended(4, 1, model="a", state=S.FAILED)])  # it comes to its place
    failed = names(model)[:2] if order[0] is S.FAILED else names(model)[2:]
    assert failed == ["job 4", "job 2"]  # among equals, the newest first
    table.close_down()


def test_no_row_moves_or_goes_while_the_pointer_is_over_it(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    model = table.model
    running = ended(1, 0, state=S.RUNNING, ended=None)
    model._add([ended(0, 5, state=S.QUEUED), running, ended(2, 5, state=S.QUEUED)])
    table.scope.setCurrentIndex(Scope.OPEN)
    viewport = table.view.viewport()
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Enter))
    running.state = S.SUCCEEDED
    model._update([running])
    assert names(model) == ["job 2", "job 1", "job 0"]
    assert state(model, 1) is S.SUCCEEDED  # it is shown, at its place
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    assert names(model) == ["job 2", "job 0"]
    table.close_down()


def test_jobs_that_come_in_above_do_not_push_the_shown_ones_down(
    engine: JobEngine, qtbot: QtBot
) -> None:
    table = shown(JobTable(engine), qtbot)
    model, bar = table.model, table.view.verticalScrollBar()
    model._add([ended(number, 1) for number in range(60)])
    QApplication.processEvents()
    bar.setValue(5)
    top = table.view.indexAt(table.view.viewport().rect().topLeft())
    before = text(model, top.row(), C.NAME)
    model._add([ended(number, 1) for number in range(60, 63)])
    QApplication.processEvents()
    top = table.view.indexAt(table.view.viewport().rect().topLeft())
    assert text(model, top.row(), C.NAME) == before
    bar.setValue(0)
    model._add([ended(63, 1)])
    assert bar.value() == 0  # at the top, new jobs are seen
    table.close_down()


def test_an_empty_column_is_hidden_and_the_bar_says_what_it_acts_on(
    engine: JobEngine, qtbot: QtBot
) -> None:
    table = shown(JobTable(engine), qtbot)
    view = table.view
    table.model._add([ended(1, 1), ended(2, 1)])
    table._refresh()
    assert view.isColumnHidden(C.REMAINING)
    assert table.chosen.text() == "No job selected"
    choose(table, 0)
    table._refresh()
    assert table.chosen.text() == "1 job selected:"
    view.selectAll()
    table._refresh()
    assert table.chosen.text() == "2 jobs selected:"
    assert table.cancel_button.accessibleName() == "Cancel"
    table.close_down()


def test_the_details_show_every_state_and_the_traceback(
    stored: JobEngine, path: Path, qtbot: QtBot
) -> None:
    table = shown(JobTable(stored), qtbot)
    stored.run(fails)
    qtbot.waitUntil(
        lambda: table.model.rowCount() == 1 and state(table.model, 0) is S.FAILED, timeout=LONG
    )
    choose(table, 0)
    table.details.trigger()
    dialog = table.findChild(JobDetailsDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: "ValueError: no such luck" in dialog.error.toPlainText(), timeout=LONG)
    assert "Traceback" in dialog.error.toPlainText()
    states = [dialog.history.item(row, 1).text() for row in range(dialog.history.rowCount())]
    assert states == ["queued", "running", "failed"]
    assert dialog.facts["Attempts"].text() == "1 / 1"
    dialog._copy()
    copied = QGuiApplication.clipboard().text()
    assert "no such luck" in copied
    assert "Time\tState\tMessage" in copied
    dialog.close()
    table.close_down()


def test_the_details_need_no_store_and_follow_the_job(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    job = engine.run(count_to, 10_000)
    qtbot.waitUntil(
        lambda: table.model.rowCount() == 1 and state(table.model, 0) is S.RUNNING, timeout=LONG
    )
    choose(table, 0)
    table.details.trigger()
    dialog = table.findChild(JobDetailsDialog)
    assert dialog is not None
    assert dialog.facts["State"].text().startswith("running")
    job.cancel()
    qtbot.waitUntil(lambda: dialog.facts["State"].text().startswith("cancelled"), timeout=LONG)
    last = dialog.history.rowCount() - 1
    assert dialog.history.item(last, 1).text() == "cancelled"
    table.close_down()


def test_what_took_long_is_stopped_and_removed_only_after_a_question(
    stored: JobEngine, path: Path, qtbot: QtBot
) -> None:
    table = shown(JobTable(stored), qtbot)
    model, verbs = table.model, table.verbs
    job = stored.run(count_to, 100_000)
    qtbot.waitUntil(lambda: model.rowCount() == 1 and state(model, 0) is S.RUNNING, timeout=LONG)
    row = model.row(job.id)
    assert row is not None
    assert row.started is not None
    row.started -= 3600  # an hour

    def answer(words: str) -> QMessageBox:
        box = next(box for box in table.findChildren(QMessageBox) if box.isVisible())
        assert box.defaultButton().text() == "&Keep"
        button = next(button for button in box.buttons() if words in button.text())
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        return box

    choose(table, 0)
    table.view.setFocus()
    qtbot.keyClick(table.view, Qt.Key.Key_Delete)
    assert "1 h" in answer("Keep").informativeText().replace("\N{NO-BREAK SPACE}", " ")
    assert state(model, 0) is S.RUNNING
    qtbot.keyClick(table.view, Qt.Key.Key_Delete)
    answer("Stop")
    qtbot.waitUntil(lambda: state(model, 0) is S.CANCELLED, timeout=LONG)
    choose(table, 0)
    verbs.remove.trigger()
    answer("Remove")
    qtbot.waitUntil(lambda: model.rowCount() == 0, timeout=LONG)
    with JobStore(path) as store:
        assert store.jobs() == []
    table.close_down()


def test_jobs_are_copied_for_a_spreadsheet(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    table.model._add([ended(1, 12.345678, model="zener"), ended(2, 61.5)])
    table._refresh()
    table.activateWindow()
    table.view.setFocus()
    qtbot.waitUntil(table.view.hasFocus)
    qtbot.keyClick(table.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    head = ["State", "Job", "Model", "When", "Progress", "Elapsed / s"]
    assert lines[0].split("\t") == head
    cells = lines[2].split("\t")
    assert cells[:3] == ["succeeded", "job 1", "zener"]
    assert abs(float(cells[5]) - 12.345678) < 1e-6
    choose(table, 0)
    qtbot.keyClick(table.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2
    table.close_down()


def test_escape_empties_the_filter_and_stops_nothing(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    job = engine.run(count_to, 100_000)
    qtbot.waitUntil(lambda: table.model.rowCount() == 1, timeout=LONG)
    table.filter.setFocus()
    qtbot.keyClicks(table.filter, "count")
    qtbot.keyClick(table.filter, Qt.Key.Key_Escape)
    assert table.filter.text() == ""
    assert not job.done()
    job.cancel()
    table.close_down()


def test_the_bar_of_a_running_job_is_drawn(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    row = ended(1, 0, state=S.RUNNING, ended=None, progress=Progress(1, 2, "half", "fit"))
    table.model._add([row])
    index = table.model.index(0, C.PROGRESS)
    assert index.data(FRACTION_ROLE) == 0.5
    assert job_state(index) is S.RUNNING
    rect = table.view.visualRect(index)
    image = table.view.viewport().grab(rect).toImage()
    y = rect.height() - 3
    left, right = (image.pixelColor(round(rect.width() * share), y) for share in (0.25, 0.75))
    assert left != right
    table.close_down()
