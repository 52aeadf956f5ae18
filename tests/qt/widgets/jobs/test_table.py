"""The table of jobs: what it shows, and what it does to jobs here and elsewhere."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QAbstractItemModelTester
from tests.engine import application
from tests.qt import helpers
from tests.qt.widgets.jobs.helpers import LONG, choose, shown, state, text

from rheojobs import JobEngine, TaskContext
from rheojobs.engine.events import JobEvent, Progress, StateChanged
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore
from rheojobs.engine.task import FunctionTask
from rheojobs.qt.widgets.jobs.columns import FRACTION_ROLE, JobColumn, cell_text
from rheojobs.qt.widgets.jobs.rows import JobRow
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.widgets.jobs.table_model import JobTableModel

S = JobState


def is_start(event: JobEvent) -> bool:
    return isinstance(event, StateChanged) and event.state is S.RUNNING


def until_cancelled(context: TaskContext) -> None:
    context.progress(3, 4, "three of four")
    while True:
        context.check()
        time.sleep(0.005)


def fails() -> None:
    raise ValueError("no such luck")


def test_a_job_names_its_data_where_the_next_column_has_its_model() -> None:
    row = JobRow("1", "fit maxwell", S.QUEUED, model="maxwell", data="melt")
    assert cell_text(row, JobColumn.NAME) == "fit melt"
    assert row.hint().startswith("fit maxwell")
    row.name = "my fit"
    assert cell_text(row, JobColumn.NAME) == "my fit, melt"
    row.name, row.data = "fit maxwell", ""
    assert cell_text(row, JobColumn.NAME) == "fit maxwell"


def test_what_there_is_no_room_for_is_in_the_hint() -> None:
    row = JobRow("1", "fit", S.RUNNING)
    row.progress = Progress(3, 4, "three of four, and much more to say", "sampling")
    assert row.progress_text() in row.hint()


def test_shows_jobs_from_before_and_new_ones_first(engine: JobEngine, qtbot: QtBot) -> None:
    engine.run(int).result(5)
    model = JobTableModel(engine)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    assert model.rowCount() == 1
    engine.run(fails)
    qtbot.waitUntil(lambda: model.rowCount() == 2 and state(model, 0) is S.FAILED, timeout=LONG)
    assert text(model, 0, JobColumn.NAME) == "fails"
    assert text(model, 0, JobColumn.PROGRESS) == "ValueError: no such luck"
    assert state(model, 1) is S.SUCCEEDED
    model.close()


def test_the_button_cancels_what_is_selected(engine: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(engine), qtbot)
    engine.run(until_cancelled)
    model = table.model
    qtbot.waitUntil(
        lambda: model.rowCount() == 1 and model.index(0, 0).data(FRACTION_ROLE) == 0.75,
        timeout=LONG,
    )
    assert text(model, 0, JobColumn.PROGRESS) == "three of four"
    assert not table.cancel_button.isEnabled()
    choose(table, 0)
    qtbot.waitUntil(table.cancel_button.isEnabled)
    table.grab()  # draws the bar too
    qtbot.mouseClick(table.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: state(model, 0) is S.CANCELLED, timeout=LONG)
    qtbot.waitUntil(lambda: not table.cancel_button.isEnabled(), timeout=LONG)
    assert text(model, 0, JobColumn.ELAPSED).endswith("s")


def test_jobs_are_paused_resumed_retried_and_removed_by_keys(
    stored: JobEngine, path: Path, qtbot: QtBot
) -> None:
    table = shown(JobTable(stored), qtbot)
    model, view, verbs = table.model, table.view, table.verbs
    keys = Qt.KeyboardModifier
    none = keys.NoModifier

    def press(key: Qt.Key, modifier: Qt.KeyboardModifier) -> None:
        verbs.refresh()
        qtbot.keyClick(view, key, modifier)

    stored.run(helpers.count_to, 10_000)
    qtbot.waitUntil(lambda: model.rowCount() == 1 and state(model, 0) is S.RUNNING, timeout=LONG)
    view.setFocus()
    choose(table, 0)
    press(Qt.Key.Key_F7, keys.ShiftModifier)
    qtbot.waitUntil(lambda: state(model, 0) is S.PAUSED, timeout=LONG)
    press(Qt.Key.Key_F8, keys.ShiftModifier)
    qtbot.waitUntil(lambda: state(model, 0) is S.RUNNING, timeout=LONG)
    qtbot.waitUntil(lambda: text(model, 0, JobColumn.REMAINING).startswith("≈"), timeout=LONG)
    press(Qt.Key.Key_Delete, none)
    qtbot.waitUntil(lambda: state(model, 0) is S.CANCELLED, timeout=LONG)
    assert text(model, 0, JobColumn.REMAINING) == ""
    press(Qt.Key.Key_F5, keys.ShiftModifier)
    qtbot.waitUntil(lambda: model.rowCount() == 2 and state(model, 0) is S.RUNNING, timeout=LONG)
    assert state(model, 1) is S.CANCELLED
    with JobStore(path) as other:
        assert len(other.jobs()) == 2
        press(Qt.Key.Key_Delete, keys.ShiftModifier)
        qtbot.waitUntil(lambda: model.rowCount() == 1, timeout=LONG)
        assert [job.state for job in other.jobs()] == [S.RUNNING]


def test_a_failed_job_runs_again_with_and_without_a_store(
    engine: JobEngine, stored: JobEngine, qtbot: QtBot
) -> None:
    for each in (engine, stored):
        table = shown(JobTable(each), qtbot)
        each.run(fails)
        qtbot.waitUntil(
            lambda t=table: t.model.rowCount() == 1 and state(t.model, 0) is S.FAILED, timeout=LONG
        )
        each.job(table.model.rows_between(0, 0)[0].job_id).forget()  # as a pool does
        choose(table, 0)
        table.verbs.retry.trigger()
        qtbot.waitUntil(
            lambda t=table: t.model.rowCount() == 2 and state(t.model, 0) is S.FAILED, timeout=LONG
        )
        table.close_down()


def test_one_that_was_stopped_from_outside_goes_on_from_its_checkpoint(
    stored: JobEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    table = shown(JobTable(stored), qtbot)
    gate = tmp_path / "gate"
    task = FunctionTask(application.count_on, (6, str(tmp_path / "trace"), str(gate), 3))
    job = stored.submit(task, timeout=0.2)
    qtbot.waitUntil(lambda: job.done() and state(table.model, 0) is S.FAILED, timeout=LONG)
    gate.touch()
    choose(table, 0)
    table.verbs.retry.trigger()
    qtbot.waitUntil(lambda: len(stored.jobs()) == 2 and stored.jobs()[1].done(), timeout=LONG)
    assert stored.jobs()[1].result() == [3, 6]


def test_priorities_are_changed_while_jobs_wait(stored: JobEngine, qtbot: QtBot) -> None:
    table = shown(JobTable(stored), qtbot)
    go = threading.Event()
    stored.run(go.wait)
    jobs = [stored.run(helpers.count_to, 1) for _ in range(2)]
    model = table.model
    qtbot.waitUntil(lambda: model.rowCount() == 3 and state(model, 2) is S.RUNNING, timeout=LONG)
    choose(table, 0)
    assert not table.verbs.pause.isEnabled()
    for _ in range(2):
        table.verbs.sooner.trigger()
    qtbot.waitUntil(lambda: text(model, 0, JobColumn.STATE) == "queued +2", timeout=LONG)
    table.verbs.later.trigger()
    qtbot.waitUntil(lambda: text(model, 0, JobColumn.STATE) == "queued +1", timeout=LONG)
    assert jobs[1].priority == 1
    choose(table, 2)
    assert not table.verbs.sooner.isEnabled()
    go.set()


def test_jobs_of_another_program_are_seen_and_steered(
    stored: JobEngine, path: Path, qtbot: QtBot
) -> None:
    """The other program is an engine of its own with the same store."""
    stored.run(helpers.count_to, 1).result(10)
    with JobEngine("threads", max_workers=1, store=path) as other:
        table = shown(JobTable(other), qtbot)
        model, verbs = table.model, table.verbs
        QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
        qtbot.waitUntil(lambda: model.rowCount() == 1, timeout=LONG)
        assert state(model, 0) is S.SUCCEEDED
        job = stored.run(helpers.count_to, 100_000)
        qtbot.waitUntil(
            lambda: model.rowCount() == 2 and state(model, 0) is S.RUNNING, timeout=LONG
        )
        qtbot.waitUntil(lambda: model.index(0, 0).data(FRACTION_ROLE) is not None, timeout=LONG)
        assert text(model, 0, JobColumn.ELAPSED)
        choose(table, 0)
        for action, wanted in (
            (verbs.pause, S.PAUSED),
            (verbs.resume, S.RUNNING),
            (verbs.cancel, S.CANCELLED),
        ):
            verbs.refresh()
            assert not verbs.sooner.isEnabled()  # it has already started
            qtbot.waitUntil(lambda a=action: (verbs.refresh(), a.isEnabled())[1], timeout=LONG)
            action.trigger()
            qtbot.waitUntil(lambda w=wanted: state(model, 0) is w, timeout=LONG)
        assert job.cancelled()
        said: list[str] = []
        verbs.failed.connect(said.append)
        with JobStore(path) as third:
            third.remove(job.id)
        verbs.refresh()
        verbs.remove.trigger()
        qtbot.waitUntil(lambda: bool(said), timeout=LONG)
        assert "no job's id begins with" in said[0]
        table.close_down()


def test_jobs_of_another_program_are_moved_in_its_line(
    stored: JobEngine, path: Path, qtbot: QtBot
) -> None:
    go = threading.Event()
    stored.run(go.wait)
    jobs = [stored.run(helpers.count_to, 1) for _ in range(2)]
    began: list[str] = []
    stored.subscribe(
        lambda event: began.append(event.job_id) if is_start(event) else None, present=False
    )
    with JobEngine("threads", max_workers=1, store=path) as other:
        table = shown(JobTable(other), qtbot)
        model, verbs = table.model, table.verbs
        qtbot.waitUntil(
            lambda: model.rowCount() == 3 and state(model, 2) is S.RUNNING, timeout=LONG
        )
        choose(table, 0)
        verbs.sooner.trigger()
        verbs.sooner.trigger()  # at once: its owner has not read the first request yet
        qtbot.waitUntil(lambda: jobs[1].priority == 2, timeout=LONG)
        qtbot.waitUntil(lambda: text(model, 0, JobColumn.STATE) == "queued +2", timeout=LONG)
        verbs.refresh()
        qtbot.waitUntil(lambda: (verbs.refresh(), verbs.later.isEnabled())[1], timeout=LONG)
        verbs.later.trigger()
        qtbot.waitUntil(lambda: jobs[1].priority == 1, timeout=LONG)
        go.set()
        assert all(job.result(10) for job in jobs)
        table.close_down()
    ids = [job.id for job in jobs]
    qtbot.waitUntil(lambda: set(ids) <= set(began), timeout=LONG)
    assert [job_id for job_id in began if job_id in ids] == ids[::-1]


def test_what_waits_in_the_store_is_taken_up_and_ends_here(path: Path, qtbot: QtBot) -> None:
    first = JobEngine("threads", max_workers=1, store=path)
    job = first.run(helpers.count_to, 400)
    qtbot.waitUntil(lambda: job.latest_progress is not None, timeout=LONG)
    assert first.shutdown(leave=True)
    with JobEngine("threads", max_workers=1, store=path) as engine:
        table = shown(JobTable(engine), qtbot)
        model = table.model
        qtbot.waitUntil(
            lambda: model.rowCount() == 1 and state(model, 0) is S.INTERRUPTED, timeout=LONG
        )
        choose(table, 0)
        table.verbs.resume.trigger()
        qtbot.waitUntil(lambda: state(model, 0) is S.SUCCEEDED, timeout=LONG)
        assert model.rowCount() == 1  # the same job, under its own id
        assert engine.job(job.id).done()
        table.close_down()
