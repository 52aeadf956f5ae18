"""The window and its jobs: the question when it closes, and the jobs found when it starts."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox
from tests.qt import helpers

from rheojobs import Dataset, WorkerPool
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore, default_path
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.qt.app.closing import ClosingChoice
from rheojobs.qt.app.main_window import MainWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

S = JobState
JOB_MS = 60_000


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set a folder for the store of jobs of one test."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def open_window(qtbot: QtBot) -> Iterator[Callable[[], MainWindow]]:
    """Open windows, and close those that a test leaves open."""
    opened: list[MainWindow] = []

    def open_one() -> MainWindow:
        window = MainWindow()
        opened.append(window)
        window.show()
        with qtbot.waitSignal(window.jobs_pane.recovered, timeout=JOB_MS):
            pass
        return window

    yield open_one
    for window in opened:
        window.closing.choose(ClosingChoice.CANCEL)
        window.deleteLater()


def count(window: MainWindow, n: int = 100_000) -> str:
    """Start a job that counts, 200 a second."""
    return window.pool.run(helpers.count_to, n)


def answer(window: MainWindow, qtbot: QtBot, words: str) -> None:
    """Close the window, and click an answer to the question."""
    assert not window.close()
    box = window.closing.box
    assert box is not None
    assert box.isVisible()
    button = next(button for button in box.buttons() if words in button.text())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.closing.box is None


class TestClosing:
    def test_nothing_is_asked_where_nothing_runs(self, open_window, qtbot: QtBot) -> None:
        window = open_window()
        assert window.close()
        assert window.closing.box is None

    def test_escape_stays_and_waiting_closes_after_the_last_job(
        self, open_window, qtbot: QtBot
    ) -> None:
        window = open_window()
        job_id = count(window, 100)
        assert not window.close()
        box = window.closing.box
        assert isinstance(box, QMessageBox)
        assert not window.close()  # asked once
        assert window.closing.box is box
        assert "count_to" in box.informativeText()
        qtbot.keyClick(box, Qt.Key.Key_Escape)
        assert window.closing.box is None
        assert window.isVisible()
        answer(window, qtbot, "Wait")
        assert window.isVisible()
        assert window.closing.bar.isVisible()
        assert "1 job" in window.closing.bar.message.text()
        # The wait can be cancelled, and started again.
        qtbot.mouseClick(window.closing.bar.buttons[0], Qt.MouseButton.LeftButton)
        assert not window.closing.bar.isVisible()
        answer(window, qtbot, "Wait")
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=JOB_MS)
        with JobStore() as store:
            assert store.find(job_id).state is S.SUCCEEDED

    def test_a_paused_job_is_named_and_goes_on_when_it_is_waited_for(
        self, open_window, qtbot: QtBot
    ) -> None:
        window = open_window()
        job = window.pool.job(count(window, 100))
        qtbot.waitUntil(lambda: job.latest_progress is not None, timeout=JOB_MS)
        job.pause()
        qtbot.waitUntil(lambda: job.state is S.PAUSED, timeout=JOB_MS)
        assert not window.close()
        assert "count_to (paused)" in window.closing.box.informativeText()
        window.closing.box.reject()
        answer(window, qtbot, "Resume and wait")
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=JOB_MS)
        assert job.state is S.SUCCEEDED

    def test_a_job_that_is_paused_while_the_window_waits_for_it_is_told(
        self, open_window, qtbot: QtBot
    ) -> None:
        window = open_window()
        job = window.pool.job(count(window, 200))
        answer(window, qtbot, "Wait")
        qtbot.waitUntil(lambda: job.latest_progress is not None, timeout=JOB_MS)
        job.pause()
        bar = window.closing.bar
        qtbot.waitUntil(lambda: "paused" in bar.message.text(), timeout=JOB_MS)
        assert bar.message.kind == "warning"
        resume, keep = bar.buttons
        assert (resume.text(), keep.text()) == ("Resume", "Keep the window")
        qtbot.mouseClick(resume, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=JOB_MS)
        assert job.state is S.SUCCEEDED

    def test_cancelling_leaves_no_process(self, open_window, qtbot: QtBot) -> None:
        before = children()
        window = open_window()
        job_id = count(window)
        answer(window, qtbot, "Cancel")
        assert not window.isVisible()
        assert children() <= before
        with JobStore() as store:
            assert store.find(job_id).state is S.CANCELLED

    def test_what_cannot_be_kept_is_not_offered_to_be_left(
        self, open_window, folder: Path, qtbot: QtBot
    ) -> None:
        default_path().write_bytes(b"no database at all")
        window = open_window()
        message = window.jobs_pane.store_message
        assert message.kind == "warning"
        assert "is damaged" in message.text()
        assert "lost when the program ends" in message.text()
        job_id = count(window, 100)
        assert not window.close()
        box = window.closing.box
        assert box is not None
        assert not any("Leave" in button.text() for button in box.buttons())
        assert "on disk" in box.informativeText()
        window.closing.box.reject()
        window.closing.choose(ClosingChoice.WAIT)
        job = window.pool.job(job_id)
        qtbot.waitUntil(
            lambda: "All jobs have ended" in window.closing.bar.message.text(), timeout=JOB_MS
        )
        assert job.done()  # in memory, and its result is not lost
        assert window.isVisible()


class TestStart:
    def test_jobs_that_were_left_go_on_when_it_is_wanted(
        self, open_window, data: Dataset, qtbot: QtBot
    ) -> None:
        window = open_window()
        assert not window.jobs_pane.recovery.isVisible()
        task = SampleTask("maxwell", data, num_warmup=100, num_samples=40_000, num_chains=2)
        sampling = window.pool.engine.submit(task)
        qtbot.waitUntil(
            lambda: (
                sampling.latest_progress is not None
                and sampling.latest_progress.stage == "sampling"
            ),
            timeout=JOB_MS,
        )
        # As many as there are workers, and one more that waits.
        others = [count(window, 50) for _ in range(window.pool.engine.executor.capacity)]
        answer(window, qtbot, "Leave")
        assert not window.isVisible()
        with JobStore() as store:
            found = {job.id: job.state for job in store.jobs()}
            assert list(Path(store.task(sampling.id).checkpoint).iterdir())
        assert found.pop(sampling.id) is S.INTERRUPTED
        assert set(found) == set(others)
        assert set(found.values()) <= {S.QUEUED, S.INTERRUPTED}

        window = open_window()
        pane = window.jobs_pane
        assert pane.recovery.isVisible()
        assert "interrupted when the program ended" in pane.recovery.message.text()
        qtbot.waitUntil(lambda: pane.table.model.rowCount() == len(others) + 1, timeout=JOB_MS)
        assert window.pool.engine.active_count() == 0  # nothing starts automatically
        qtbot.mouseClick(pane.recovery.buttons[0], Qt.MouseButton.LeftButton)
        assert not pane.recovery.isVisible()
        store = window.pool.engine.store
        assert store is not None
        qtbot.waitUntil(lambda: store.counts() == {S.SUCCEEDED: len(others) + 1}, timeout=JOB_MS)
        result = store.result(sampling.id)
        assert result.num_samples == 40_000
        assert store.find(sampling.id).attempts == 2
        assert pane.table.model.rowCount() == len(others) + 1
        assert pane.message.kind == ""

    def test_a_killed_window_is_told_of_and_its_jobs_can_wait(
        self, open_window, folder: Path, qtbot: QtBot
    ) -> None:
        script = (
            "from rheojobs.engine import JobEngine; from rheojobs.engine.store import default_path;"
            "from tests.qt import helpers; import os, time;"
            "engine = JobEngine('threads', max_workers=1, store=default_path());"
            "jobs = [engine.run(helpers.count_to, 10**6) for _ in range(2)];"
            "engine.submit(sorted, name='catalogue');"
            "exec('while jobs[0].latest_progress is None: time.sleep(0.01)');"
            "time.sleep(0.5); os.kill(os.getpid(), 9)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=60,
            check=False,
        )
        assert ended.returncode == -9
        window = open_window()
        pane = window.jobs_pane
        text = pane.recovery.message.text()
        assert text.startswith("1 job was interrupted")
        assert "1 job waits" in text  # the window's own functions are not counted
        qtbot.mouseClick(pane.recovery.buttons[1], Qt.MouseButton.LeftButton)
        assert not pane.recovery.isVisible()
        qtbot.waitUntil(lambda: pane.table.model.rowCount() == 2, timeout=JOB_MS)
        with JobStore() as store:
            assert store.counts() == {S.QUEUED: 1, S.INTERRUPTED: 1}

    def test_a_store_of_a_newer_program_is_said_in_plain_words(
        self, open_window, qtbot: QtBot
    ) -> None:
        with JobStore():
            pass
        database = sqlite3.connect(default_path())
        database.execute("PRAGMA user_version = 99")
        database.close()
        window = open_window()
        assert "use the newer rheojobs" in window.jobs_pane.store_message.text()
        window.pool.run(helpers.count_to, 1)
        qtbot.waitUntil(lambda: not window.pool.is_busy(), timeout=JOB_MS)
        qtbot.waitUntil(lambda: window.jobs_pane.table.model.rowCount() == 1, timeout=JOB_MS)


def test_a_pool_that_is_not_its_own_goes_on_without_the_window(qtbot: QtBot) -> None:
    pool = WorkerPool(1, executor="threads")
    window = MainWindow(pool)
    window.show()
    job_id = count(window, 50)
    job = pool.job(job_id)
    assert window.close()
    qtbot.waitUntil(job.done, timeout=JOB_MS)
    assert not job.cancelled()
    window.deleteLater()
    assert pool.shutdown()
