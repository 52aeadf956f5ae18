"""Closing the window at every moment of a job, in each way, crashes and loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication
from tests.qt.helpers import OF_THE_PLUGIN
from tests.qt.moments import ANSWERS, MOMENTS, QUICK, REAL, Jobs, click_answer, expected

from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore
from rheojobs.qt.app.main_window import MainWindow

pytestmark = pytest.mark.promise("nothing-left-behind")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

JOB_MS = 120_000


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture
def window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, qapp: QApplication
) -> Iterator[MainWindow]:
    """Open a window with its own store; all that it started has ended when it is closed."""
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    before = children()
    window = MainWindow()
    window.show()
    with qtbot.waitSignal(window.jobs_pane.recovered, timeout=JOB_MS):
        pass
    yield window
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    assert children() <= before


@pytest.fixture
def plain_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers start without JAX, for jobs that need none of it."""
    monkeypatch.setattr("rheojobs.qt.worker_pool.PRELOAD", ())


def check_store(jobs: dict[str, str], answer: str) -> None:
    """Check that the store has the outcome of each job."""
    with JobStore() as store:
        found = {job.id: job.state for job in store.jobs()}
    for job_id, before in jobs.items():
        assert found[job_id] in expected(JobState(before), answer), (before, found[job_id])


def close_at(window: MainWindow, qtbot: QtBot, moment: str, answer: str) -> None:
    jobs = Jobs(window, answer)
    for condition in MOMENTS[moment](jobs):
        qtbot.waitUntil(condition, timeout=JOB_MS)
    states = {job.id: str(job.state) for job in jobs.all}
    click_answer(window, answer)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=JOB_MS)
    check_store(states, answer)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_workers")
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("moment", [moment.__name__ for moment in QUICK])
def test_closed_while_a_job_is(moment: str, answer: str, window: MainWindow, qtbot: QtBot) -> None:
    close_at(window, qtbot, moment, answer)


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("moment", [moment.__name__ for moment in REAL])
def test_closed_while_a_fit_or_a_sampling_is(
    moment: str, answer: str, window: MainWindow, qtbot: QtBot
) -> None:
    close_at(window, qtbot, moment, answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "answer"),
    [
        ("compiling", "Cancel"),
        ("warming_up", "Leave"),
        ("sampling", "Cancel"),
        ("sampling", "Wait"),
        ("sampling_paused", "Leave"),
        ("fitting", "Wait"),
        ("deaf", "Cancel"),
        ("many", "Leave"),
        ("many", "Cancel"),
    ],
)
def test_an_application_that_is_closed_leaves_no_word_and_no_process(
    moment: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    # Finds the processes that it starts, even if their parent is gone.
    mark = f"RHEOJOBS_TEST_MARK={tmp_path}"
    name, _, value = mark.partition("=")
    done = subprocess.run(
        [sys.executable, "-m", "tests.qt.moments", moment, answer],
        cwd=Path(__file__).parents[2],
        env=os.environ | {name: value, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if OF_THE_PLUGIN not in line]
    assert said == []
    assert marked(name, value) == []
    jobs = json.loads(done.stdout)
    assert jobs
    check_store(jobs, answer)


def marked(name: str, value: str) -> list[str]:
    """Return the processes that have an entry in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value:
                found.append(f"{process.pid} {process.cmdline()}")
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # not ours, or gone
    return found
