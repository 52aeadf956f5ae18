"""The window's jobs move to a real Dask cluster and back, by clicks."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QSettings, Qt
from tests.engine.cluster import Cluster
from tests.qt import helpers

from rheojobs.qt.app.closing import ClosingChoice
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.jobs.run_place_dialog import RunPlaceDialog

LONG = 60_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(workers=1)
    yield cluster
    cluster.close()


@pytest.fixture
def open_window(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], MainWindow]]:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path))
    windows: list[MainWindow] = []

    def open_one() -> MainWindow:
        settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
        windows.append(MainWindow(settings=settings))
        windows[-1].show()
        return windows[-1]

    yield open_one
    for window in windows:
        window.closing.choose(ClosingChoice.CANCEL)
        window.deleteLater()


def ask(window: MainWindow, qtbot: QtBot) -> RunPlaceDialog:
    qtbot.mouseClick(window.run_place.button, Qt.MouseButton.LeftButton)
    dialog = window.run_place.dialog
    assert dialog is not None
    return dialog


def use(dialog: RunPlaceDialog, qtbot: QtBot, address: str) -> None:
    if address:
        dialog.address.clear()
        qtbot.keyClicks(dialog.address, address)
        assert dialog.there.isChecked()
    else:
        dialog.here.setChecked(True)
    qtbot.mouseClick(dialog.use_button, Qt.MouseButton.LeftButton)


def pid(window: MainWindow, qtbot: QtBot) -> int:
    """Run a job, and return its process."""
    job = window.pool.job(window.pool.run(os.getpid))
    qtbot.waitUntil(job.done, timeout=LONG)
    return int(job.result())


def test_jobs_go_to_a_cluster_and_back_and_the_address_is_kept(
    open_window: Callable[[], MainWindow], cluster: Cluster, qtbot: QtBot
) -> None:
    window = open_window()
    place = window.run_place
    assert place.button.text() == "Run on: this computer"
    dialog = ask(window, qtbot)
    use(dialog, qtbot, cluster.address)
    qtbot.waitUntil(lambda: dialog.message.kind in ("success", "warning"), timeout=LONG)
    assert place.address == cluster.address
    assert place.button.text() == f"Run on: {cluster.address}, 1 at a time"
    there = pid(window, qtbot)
    assert window.pool.engine.executor.cluster_address
    here = {worker.pid for worker in window.pool.local_engine.executor.workers()}
    assert there not in here
    # Functions that need this machine's files stay here.
    job = window.pool.job(window.pool.run_here(os.getpid))
    qtbot.waitUntil(job.done, timeout=LONG)
    assert job.result() in {w.pid for w in window.pool.local_engine.executor.workers()}
    use(dialog, qtbot, "")
    qtbot.waitUntil(lambda: place.address == "", timeout=LONG)
    assert place.button.text() == "Run on: this computer"
    assert pid(window, qtbot) != there
    use(dialog, qtbot, cluster.address)
    qtbot.waitUntil(lambda: place.address == cluster.address, timeout=LONG)
    dialog.reject()
    assert window.close()
    # The next window connects to it automatically.
    again = open_window()
    qtbot.waitUntil(lambda: again.run_place.address == cluster.address, timeout=LONG)
    assert pid(again, qtbot) == there


def test_an_address_where_nobody_is_gives_one_line_and_jobs_stay_here(
    open_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    window = open_window()
    dialog = ask(window, qtbot)
    use(dialog, qtbot, f"tcp://127.0.0.1:{free}")
    assert dialog.message.kind == "info"
    assert not dialog.use_button.isEnabled()
    qtbot.waitUntil(lambda: dialog.message.kind == "error", timeout=LONG)
    text = dialog.message.text()
    assert text.startswith("no Dask scheduler answers at")
    assert text.endswith("Jobs run on this computer.")
    assert "\n" not in text
    assert dialog.use_button.isEnabled()
    for part in (dialog.help, dialog.message):  # nothing is cut off
        assert part.height() >= part.heightForWidth(part.width())
    assert not window.pool.engine.executor.cluster_address
    assert pid(window, qtbot) > 0
    dialog.reject()
    # At the next start the dialog is closed: the message is above the jobs.
    again = open_window()
    qtbot.waitUntil(lambda: again.jobs_pane.message.kind == "error", timeout=LONG)
    assert "no Dask scheduler answers" in again.jobs_pane.message.text()
    assert pid(again, qtbot) > 0


def test_an_address_is_needed(open_window: Callable[[], MainWindow], qtbot: QtBot) -> None:
    dialog = ask(open_window(), qtbot)
    dialog.there.setChecked(True)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.message.kind == "error"
    assert "tcp://" in dialog.message.text()
    dialog.reject()


def test_jobs_that_run_stay_and_the_change_comes_after_them(
    open_window: Callable[[], MainWindow], cluster: Cluster, qtbot: QtBot
) -> None:
    window = open_window()
    job = window.pool.engine.run(helpers.count_to, 100_000)  # as the table of jobs retries one
    qtbot.waitUntil(job.running, timeout=LONG)
    dialog = ask(window, qtbot)
    use(dialog, qtbot, cluster.address)
    qtbot.waitUntil(lambda: dialog.message.kind == "warning", timeout=LONG)
    assert dialog.message.text().startswith("Not yet: 1 job runs still")
    assert window.run_place.address == ""
    assert job.running()
    job.cancel()
    qtbot.waitUntil(lambda: window.run_place.address == cluster.address, timeout=LONG)
    dialog.reject()
