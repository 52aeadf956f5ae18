"""Many files: dropped, fitted, compared with the command `batch`, drawn against temperature."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication
from tests.qt.helpers import data_plot, fit_view

from rheojobs.engine import JobEngine
from rheojobs.inference.batch.plan import BatchPlan
from rheojobs.inference.batch.results_table import rows_of, write_csv
from rheojobs.inference.batch.run import BatchRun
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.app.pages.series_page import SeriesPage
from rheojobs.qt.app.series.fit_request import FitRequest
from rheojobs.qt.widgets.series.rows import FitState, SeriesRow
from rheojobs.qt.widgets.series.view import SeriesView

pytestmark = pytest.mark.usefixtures("quiet_qt")

GAS_CONSTANT = 8.314462618
ENERGY = 60e3
MODULUS = 2e4
CELSIUS = (20, 30, 40, 50, 60, 70, 80, 90, 100, 110)
SPOILED = 60


def viscosity(kelvin: float) -> float:
    """A viscosity with a known activation energy."""
    return 3e4 * math.exp(ENERGY / GAS_CONSTANT * (1 / kelvin - 1 / 343.15))


def write(path: Path, celsius: float, *, spoiled: bool = False) -> Path:
    """Relaxation of a Maxwell element with 2 % of noise; a spoiled one is no relaxation at all."""
    rng = np.random.default_rng(int(celsius))
    tau = viscosity(celsius + 273.15) / MODULUS
    t = tau * np.geomspace(0.02, 3.0, 30)
    y = MODULUS * np.exp(-t / tau) * (1 + 0.02 * rng.standard_normal(t.size))
    if spoiled:
        y = MODULUS * np.exp(rng.uniform(-3, 3, t.size))
    rows = "".join(f"{a:.6g},{b:.6g}\n" for a, b in zip(t, y, strict=True))
    path.write_text("time (s),relaxation modulus (Pa)\n" + rows)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten temperatures, one of them spoiled, a file without temperature, and one without data."""
    folder = tmp_path_factory.mktemp("series")
    for celsius in CELSIUS:
        write(folder / f"melt_{celsius}C.csv", celsius, spoiled=celsius == SPOILED)
    write(folder / "melt_other.csv", 25)
    (folder / "notes.csv").write_text("nothing, but, words\n")
    return folder


@pytest.fixture(scope="module")
def window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        window = MainWindow()
        window.show()
        yield window
        window.close()
        window.deleteLater()
        qapp.processEvents()


def view_of(window: MainWindow) -> SeriesView:
    view = window.tabs.page(SeriesPage).view
    view.finish()
    return view


def drop(window: MainWindow, files: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    window.dropEvent(
        QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def row(window: MainWindow, name: str) -> SeriesRow:
    return next(row for row in window.series.model.rows if row.name.startswith(name))


@pytest.fixture(scope="module")
def dropped(window: MainWindow, folder: Path) -> MainWindow:
    """The window with all files read, and how often it has shown others."""
    shown: list[object] = []
    window.library.shown.connect(lambda: shown.append(window.library.dataset))
    drop(window, sorted(folder.glob("*.csv")))
    application = QApplication.instance()
    assert application is not None
    while len(window.series.model.rows) < 12:
        application.processEvents()
    assert len(shown) == 1
    return window


def wait_for_fits(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(
        lambda: not any(row.is_busy for row in window.series.model.rows), timeout=90_000
    )
    view_of(window)


def choose_maxwell(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.model_picker.model is not None, timeout=60_000)
    window.model_picker.choose("maxwell")
    assert window.model_picker.model is not None


@pytest.fixture
def fitted(dropped: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with all files fitted."""
    if not any(row.fit for row in dropped.series.model.rows):
        choose_maxwell(dropped, qtbot)
        view = view_of(dropped)
        qtbot.mouseClick(view.fit_all_button, Qt.MouseButton.LeftButton)
        assert view.model.rows[0].state is FitState.WAITING
        wait_for_fits(dropped, qtbot)
    return dropped


def cell(view: SeriesView, row: SeriesRow, title: str) -> str:
    place = view.model.place_of(row)
    column = next(k for k, c in enumerate(view.model.columns) if c.title == title)
    return str(view.model.index(place, column).data())


def test_dropped_files_have_a_row_each(dropped: MainWindow) -> None:
    view = view_of(dropped)
    assert dropped.tabs.currentWidget() is view
    assert len(view.model.rows) == 12
    warm = row(dropped, "melt_110C")
    assert cell(view, warm, "T / K") == "383.15"
    assert cell(view, warm, "Test") == "relaxation"
    assert cell(view, warm, "Points") == "30"
    assert cell(view, row(dropped, "melt_other"), "T / K") == ""
    bad = row(dropped, "notes.csv")
    assert bad.state is FitState.UNREAD
    assert cell(view, bad, "State") == "✗ not read"
    assert "notes.csv" in cell(view, bad, "Remark")
    assert not view.progress.isVisible()
    assert "1 not read" in view.status.text()


def test_a_file_that_cannot_be_read_is_corrected(dropped: MainWindow, qtbot: QtBot) -> None:
    view, bad = view_of(dropped), row(dropped, "notes.csv")
    view.table.select([bad])
    qtbot.keyClick(view.table, Qt.Key.Key_Return)
    editor = dropped.correcting.editor
    assert editor is not None
    assert "notes.csv" in editor.windowTitle()
    editor.reject()


def test_a_temperature_is_typed(dropped: MainWindow) -> None:
    view, other = view_of(dropped), row(dropped, "melt_other")
    column = next(k for k, c in enumerate(view.model.columns) if c.title == "T / K")
    index = view.model.index(view.model.place_of(other), column)
    assert not view.model.setData(index, "warm")
    assert "no number" in view.message.text()
    assert not view.model.setData(index, "-3")
    assert "positive" in view.message.text()
    assert view.model.setData(index, "298,15")
    assert view.message.text() == ""
    assert other.conditions == {"T": 298.15}
    assert dropped.library.find(other.dataset) >= 0
    assert {dataset.name: dataset for dataset in dropped.library.datasets}[
        "melt_other"
    ].conditions == {"T": 298.15}


def test_all_are_fitted_and_the_trend_follows_the_formula(fitted: MainWindow) -> None:
    view = view_of(fitted)
    states = [one.state for one in view.model.rows]
    assert states.count(FitState.UNREAD) == 1
    assert row(fitted, f"melt_{SPOILED}C").state is FitState.DOUBTFUL
    assert states.count(FitState.GOOD) == 10
    assert "R²" in cell(view, row(fitted, f"melt_{SPOILED}C"), "Remark")
    view.parameter.setCurrentIndex(view.parameter.findData("eta"))
    assert view.axis.currentText() == "Temperature T / K"
    view.finish()
    assert view.trend is not None
    trend = view.trend.trend
    assert trend is not None
    assert (trend.name, trend.is_log, trend.what) == ("eta", True, "standard error")
    good = [point for point in trend.points if point.kind == "good"]
    assert [point.kind for point in trend.points].count("doubtful") == 1
    for point in good:
        error = point.y - point.low
        assert abs(point.y - viscosity(point.x)) < 4 * error
        assert error < 0.1 * point.y
    x = [1 / point.x for point in good]
    slope = np.polyfit(x, np.log([point.y for point in good]), 1)[0]
    assert slope * GAS_CONSTANT == pytest.approx(ENERGY, rel=0.02)
    view.axis.setCurrentIndex(1)
    view.finish()
    assert {round(point.x, 6) for point in view.trend.points} >= {round(1000 / 293.15, 6)}
    view.axis.setCurrentIndex(0)


def test_numbers_and_remarks_are_those_of_the_command(
    fitted: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    plan = BatchPlan.of_files(["*.csv"], "maxwell", {}, {}, {}, tmp_path / "out")
    engine = JobEngine("processes", max_workers=1)
    try:
        run = BatchRun(engine, plan)
        qtbot.waitUntil(run.poll, timeout=90_000)
    finally:
        engine.shutdown(timeout=3.0)
    by_name = {one["file"]: one for one in fitted.series.table()}
    names = [entry.item.name.removesuffix(".csv") for entry in run.entries]
    given = [row(fitted, name).conditions for name in names]  # one of them may have been typed
    expected = rows_of(run.entries, given)
    assert [by_name[one["file"]] for one in expected] == [
        {key: pytest.approx(value, nan_ok=True) for key, value in one.items()} for one in expected
    ]
    write_csv(expected, tmp_path / "batch.csv")
    fitted.series.export(tmp_path / "window.csv")
    fitted.series.export(tmp_path / "window.tsv")
    qtbot.waitUntil(lambda: "window.tsv" in view_of(fitted).message.text(), timeout=10_000)

    def titles(name: str, delimiter: str = ",") -> list[str]:
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file, delimiter=delimiter))

    assert titles("window.csv") == titles("window.tsv", "\t") == titles("batch.csv")


def test_a_row_shows_its_curve(fitted: MainWindow, qtbot: QtBot) -> None:
    view, chosen = view_of(fitted), row(fitted, "melt_30C")
    view.table.select([chosen])
    view.finish()
    assert view.curve is not None
    assert view.curve.curve is not None
    assert view.curve.curve.name == "maxwell"
    qtbot.keyClick(view.table, Qt.Key.Key_Return)
    assert fitted.tabs.currentWidget() is fit_view(fitted)
    assert fitted.library.dataset is chosen.dataset
    assert data_plot(fitted).curve is not None
    assert [fit.result for fit in fit_view(fitted).kept.fits()] == [chosen.fit]
    # Those of other files are kept too.
    fitted.library.show(fitted.library.datasets.index(row(fitted, "melt_40C").dataset))
    assert [fit.result for fit in fit_view(fitted).kept.fits()] == [row(fitted, "melt_40C").fit]
    fitted.tabs.page(SeriesPage).come_forward()


def test_points_select_rows(fitted: MainWindow, qtbot: QtBot) -> None:
    view = view_of(fitted)
    assert view.trend is not None
    view.table.clearSelection()
    plot = view.trend
    qtbot.waitUntil(lambda: plot.view.width() > 100)
    qtbot.wait(100)
    (doubtful,) = [point for point in plot.points if point.kind == "doubtful"]

    def place(x: float, y: float) -> QPoint:
        scene = plot._box.mapViewToScene(QPointF(x, math.log10(y)))
        return plot.view.mapFromScene(scene)

    target = plot.view.viewport()
    qtbot.mouseClick(target, Qt.MouseButton.LeftButton, pos=place(doubtful.x, doubtful.y))
    assert [one.name for one in view.table.selected()] == [f"melt_{SPOILED}C"]
    # A rectangle around all between two temperatures.
    low, high = plot._box.viewRange()[1]
    plot._on_banded(plot._box.viewRect().intersected(plot._box.viewRect()))
    assert len(view.table.selected()) == 11
    assert low < high
    plot.select([])


def test_an_outlier_is_fitted_again_from_its_neighbours(fitted: MainWindow, qtbot: QtBot) -> None:
    view, chosen = view_of(fitted), row(fitted, "melt_80C")
    # A fit that gave up after one iteration, far from the others.
    options = {"max_iter": 1}
    fitted.series.fits.fit_one(chosen, FitRequest("maxwell", {"G0": 1e7, "eta": 1e-2}, options))
    wait_for_fits(fitted, qtbot)
    assert chosen.state is FitState.DOUBTFUL
    before = chosen.fit
    view.table.select([chosen])
    view.finish()
    assert view.refit_button.isEnabled()
    qtbot.mouseClick(view.refit_button, Qt.MouseButton.LeftButton)
    wait_for_fits(fitted, qtbot)
    assert chosen.fit is not before
    assert chosen.fit is not None
    assert chosen.fit.parameters["eta"] == pytest.approx(viscosity(353.15), rel=0.1)
    # Once more finds nothing better, and says so.
    spoiled = row(fitted, f"melt_{SPOILED}C")
    before = spoiled.fit
    view.table.select([spoiled])
    view.finish()
    qtbot.mouseClick(view.refit_button, Qt.MouseButton.LeftButton)
    wait_for_fits(fitted, qtbot)
    assert spoiled.fit is before or spoiled.fit.objective <= before.objective


def test_fits_are_stopped_and_rows_go_with_their_data(fitted: MainWindow, qtbot: QtBot) -> None:
    view = view_of(fitted)
    fitted.series.fits.fit(
        [one for one in view.model.rows if one.dataset is not None],
        FitRequest("maxwell", {}, {"multi_start": 64}),
    )
    view.finish()
    qtbot.waitUntil(lambda: len(fitted.series.fits._jobs) > 2)
    assert {fitted.pool.job(job_id).priority for job_id in fitted.series.fits._jobs.values()} == {
        -1  # what is started by hand goes first
    }
    qtbot.mouseClick(view.cancel_button, Qt.MouseButton.LeftButton)
    wait_for_fits(fitted, qtbot)
    assert any(one.state is FitState.STOPPED for one in view.model.rows)
    count = len(view.model.rows)
    gone = fitted.library.dataset
    fitted.close_data()
    assert len(view.model.rows) == count - 1
    assert all(one.dataset is not gone for one in view.model.rows)
    fitted.tabs.page(FitPage).come_forward()
