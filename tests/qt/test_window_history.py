"""Results of past jobs are shown again and exported, and the layout is restored."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QSettings, Qt
from qtpy.QtWidgets import QFileDialog
from tests.qt.helpers import decay_data, posterior_view

from rheojobs import Dataset, WorkerPool
from rheojobs.engine.states import JobState
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.qt.app.closing import ClosingChoice
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.jobs.columns import JobColumn
from rheojobs.qt.widgets.jobs.machine_status import Load
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

JOB_MS = 60_000


@pytest.fixture(scope="module")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def past(state_folder: Path, qapp: object) -> dict[str, str]:
    """Return ids of a fit, a sampling and a job of another kind, run by an earlier window."""
    window = MainWindow()
    engine, data = window.pool.engine, decay_data()
    jobs = {
        "fit": engine.submit(FitTask("maxwell", data)),
        "sampling": engine.submit(
            SampleTask("maxwell", data, num_warmup=100, num_samples=200, num_chains=2)
        ),
        "other": engine.submit(int, name="other"),
    }
    assert engine.wait(60)
    assert window.close()
    window.deleteLater()
    return {name: job.id for name, job in jobs.items()}


@pytest.fixture
def window(past: dict[str, str], qtbot: QtBot) -> Iterator[MainWindow]:
    window = MainWindow()
    window.show()
    qtbot.waitUntil(lambda: window.jobs_pane.table.model.rowCount() >= len(past), timeout=JOB_MS)
    qtbot.waitUntil(lambda: window.model_picker.names.isEnabled(), timeout=JOB_MS)
    yield window
    window.closing.choose(ClosingChoice.CANCEL)
    window.deleteLater()


def test_a_fit_and_a_posterior_are_shown_again(
    window: MainWindow, past: dict[str, str], qtbot: QtBot
) -> None:
    table = window.jobs_pane.table
    row = table.model.row(past["fit"])
    assert row is not None
    assert (row.model, row.state) == ("maxwell", JobState.SUCCEEDED)
    # By the key, as a double click does it too.
    table.select(past["fit"])
    table.verbs.refresh()
    table.view.setFocus()
    with qtbot.waitSignal(window.history.opened, timeout=JOB_MS):
        qtbot.keyClick(table.view, Qt.Key.Key_Return)
    assert window.session.dataset is not None
    assert window.session.dataset.test_mode == "relaxation"
    assert window.model_picker.model is not None
    assert window.model_picker.model.name == "maxwell"
    assert window.parameters.index(0, ParameterColumn.UNCERTAINTY).data()
    assert "R²" in window.run_panel.message.text()
    assert window.session.fit_result is not None
    assert window.run_panel.fit_button.isEnabled()
    place = table.view.visualRect(table.model.index_of(past["sampling"])).center()
    with qtbot.waitSignal(window.history.opened, timeout=JOB_MS):
        qtbot.mouseClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        qtbot.mouseDClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert "2 × 200 draws" in window.run_panel.message.text()
    assert window.tabs.currentWidget() is posterior_view(window)
    assert window.parameters.index(0, ParameterColumn.R_HAT).data()
    assert len(window.library.datasets) == 1  # the same data are not opened twice
    window.history.open(past["other"])
    message = window.jobs_pane.message
    qtbot.waitUntil(lambda: message.kind == "error")
    assert "neither a fit nor a posterior" in message.text()


def test_results_are_exported_in_every_kind(
    window: MainWindow, past: dict[str, str], tmp_path: Path, qtbot: QtBot
) -> None:
    history, message = window.history, window.jobs_pane.message
    wanted = [("fit", ".html"), ("fit", ".csv"), ("fit", ".svg"), ("fit", ".json")]
    wanted += [("sampling", suffix) for suffix in (".html", ".csv", ".nc", ".json")]
    for name, suffix in wanted:
        path = tmp_path / f"{name}{suffix}"
        with qtbot.waitSignal(history.exported, timeout=JOB_MS) as written:
            history.export(past[name], path)
        assert written.args == [str(path)]
        assert message.kind == "success"
    assert {path.suffix for path in tmp_path.iterdir()} <= {suffix for _, suffix in wanted}
    fit = FitResult.load(tmp_path / "fit.json")
    with (tmp_path / "fit.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["parameter"]: float(row["estimate"]) for row in rows} == fit.parameters
    assert [row["unit"] for row in rows] == ["Pa", "Pa·s"]
    draws = BayesianResult.load(tmp_path / "sampling.json")
    with (tmp_path / "sampling.csv").open(newline="", encoding="utf-8") as file:
        means = {row["parameter"]: float(row["mean"]) for row in csv.DictReader(file)}
    assert means == {name: row["mean"] for name, row in draws.summary.items()}
    import xarray as xr

    tree = xr.open_datatree(tmp_path / "sampling.nc", engine="h5netcdf")
    assert dict(tree["posterior"].sizes) == {"chain": 2, "draw": 200}
    tree.close()
    for name in ("fit", "sampling"):
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "maxwell" in page
        assert "Pa·s" in page
        assert "data:image/png;base64," in page
        assert "http" not in page  # it needs no other file
    assert "Warnings" in (tmp_path / "sampling.html").read_text(encoding="utf-8")
    # Errors are shown in one line, and leave the shown data as they are.
    for path, words in (
        (tmp_path / "fit.nc", "a fit has no draws"),
        (tmp_path / "fit.doc", "names no kind of file"),
        (tmp_path / "nowhere" / "fit.csv", "cannot be written"),
    ):
        message.clear()
        history.export(past["fit"], path)
        qtbot.waitUntil(lambda: message.kind == "error", timeout=JOB_MS)
        assert words in message.text()


def test_where_to_export_is_asked_without_waiting(
    window: MainWindow, past: dict[str, str], tmp_path: Path, qtbot: QtBot
) -> None:
    table = window.jobs_pane.table
    table.select(past["fit"])
    table.verbs.refresh()
    window.history.export_action.trigger()
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    assert any("*.nc" in kind for kind in dialog.nameFilters())
    with qtbot.waitSignal(window.history.exported, timeout=JOB_MS):
        dialog.fileSelected.emit(str(tmp_path / "chosen.csv"))
    dialog.reject()
    assert (tmp_path / "chosen.csv").is_file()


def test_results_that_no_store_keeps_are_remembered(data: Dataset, qtbot: QtBot) -> None:
    from rheojobs import FitWorker

    pool = WorkerPool(1)
    window = MainWindow(pool)
    window.show()
    with qtbot.waitSignal(pool.job_completed, timeout=JOB_MS) as done:
        job_id = pool.submit(FitWorker("maxwell", data))
    assert done.args[0] == job_id
    with qtbot.waitSignal(window.history.opened, timeout=JOB_MS) as opened:
        window.history.open(job_id)
    assert opened.args[0] is done.args[1]
    assert window.close()
    window.deleteLater()
    assert pool.shutdown()


def test_the_layout_comes_back(past: dict[str, str], tmp_path: Path, qtbot: QtBot) -> None:
    def settings() -> QSettings:
        return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)

    first = MainWindow(settings=settings())
    assert first.size().width() == 1280  # nothing was saved yet
    first.show()
    first.resize(1100, 700)
    header = first.jobs_pane.table.view.horizontalHeader()
    header.resizeSection(0, 133)
    first.jobs_pane.table.view.sortByColumn(JobColumn.ELAPSED, Qt.SortOrder.DescendingOrder)
    first.tabs.setCurrentWidget(posterior_view(first))
    assert first.close()
    second = MainWindow(settings=settings())
    assert second.height() == 700  # the width is cut to that of Qt's offscreen screen
    header = second.jobs_pane.table.view.horizontalHeader()
    assert header.sectionSize(0) == 133
    assert header.sortIndicatorSection() == JobColumn.ELAPSED
    model = second.jobs_pane.table.model
    qtbot.waitUntil(lambda: model.rowCount() >= len(past), timeout=JOB_MS)
    times = [row.elapsed or 0.0 for row in model.rows_between(0, model.rowCount() - 1)]
    assert times == sorted(times)  # the last of the table is the first of them
    assert posterior_view(second) is second.tabs.currentWidget()
    assert second.close()
    # The layout of an older or newer window is not used.
    kept = settings()
    kept.setValue("layout/version", 99)
    kept.sync()
    third = MainWindow(settings=settings())
    assert third.width() == 1280
    assert third.close()
    for window in (first, second, third):
        window.deleteLater()


def test_the_status_bar_tells_of_cores_memory_and_workers(window: MainWindow, qtbot: QtBot) -> None:
    status = window.machine_status
    qtbot.waitUntil(lambda: "worker" in status.workers.text(), timeout=JOB_MS)
    assert "core" in status.cores.text()
    assert "free" in status.memory.text()
    pid = window.pool.engine.executor.workers()[0].pid
    qtbot.waitUntil(lambda: str(pid) in status.workers.toolTip(), timeout=JOB_MS)
    status.show_load(Load(1, 0.256, 2**30, 2**31, ()))
    assert status.cores.text() == "1 core, 26 % busy"
    assert status.memory.text() == "1.0 GiB of 2.0 GiB memory free"
    assert status.workers.text() == "no worker processes"


def test_a_posterior_is_opened_without_arviz(past: dict[str, str], state_folder: Path) -> None:
    """In a new process, as this one has loaded everything; it ends as soon as it is shown."""
    script = f"""
import json, sys
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from rheojobs.qt.app import main_window
def begin():
    (window,) = (w for w in QApplication.topLevelWidgets() if hasattr(w, "history"))
    def done(*_):
        names = ("jax", "rheojax", "numpyro", "arviz", "arviz_base", "xarray", "matplotlib")
        print(json.dumps([name for name in names if name in sys.modules]))
        window.close()
    window.history.opened.connect(lambda *_: QTimer.singleShot(0, done))
    window.history.open({past["sampling"]!r})
app = QApplication([])
QTimer.singleShot(0, begin)
sys.exit(main_window.run())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
