"""The window while jobs run, on the real engine with real fits and samplings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from tests.qt.helpers import data_plot, fit_view, posterior_view, priors_editor
from tests.qt.test_window import click, finish, open_file, prepare

from rheojobs import WorkerPool
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.model.parameter_model import ParameterModel
from rheojobs.qt.widgets.model.parameter_rows import ParameterColumn

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

JOB_MS = 60_000


@pytest.fixture(scope="module")
def window(qapp: QApplication) -> Iterator[MainWindow]:
    """One window with one worker for all tests of this module."""
    pool = WorkerPool(1)
    window = MainWindow(pool)
    window.show()
    yield window
    window.close()
    assert pool.shutdown(timeout_ms=10_000)
    window.deleteLater()
    qapp.processEvents()


pytestmark = pytest.mark.usefixtures("quiet_qt")


def moduli(file: Path, count: int, modes: dict[float, float]) -> Path:
    """Write enough data that a job takes a while: Maxwell modes, by their times."""
    w = np.geomspace(1e-3, 1e3, count)
    times = 1j * np.multiply.outer(list(modes), w)
    modulus = np.array(list(modes.values())) @ (times / (1 + times))
    noise = 1 + 0.05 * np.random.default_rng(0).standard_normal((2, count))
    table = np.stack([w, modulus.real * noise[0], modulus.imag * noise[1]], axis=1)
    head = "Angular frequency (rad/s),Storage modulus (Pa),Loss modulus (Pa)"
    np.savetxt(file, table, delimiter=",", header=head, comments="")
    return file


def until_still(qtbot: QtBot, counts: Callable[[], list[int]]) -> list[int]:
    """Wait until counts that change 30 times a second have not changed for half a second."""
    known, since = counts(), time.monotonic()

    def stands() -> bool:
        nonlocal known, since
        if counts() != known:
            known, since = counts(), time.monotonic()
        return time.monotonic() - since > 0.5

    qtbot.waitUntil(stands, timeout=JOB_MS)
    return known


def _name(model: ParameterModel, row: int) -> str:
    return str(model.index(row, 0).data(Qt.ItemDataRole.EditRole))


def tick(window: MainWindow, name: str, on: bool) -> None:
    model = window.parameters
    (row,) = [r for r in range(model.rowCount()) if _name(model, r) == name]
    state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
    cell = model.index(row, ParameterColumn.FIXED)
    assert model.setData(cell, state, Qt.ItemDataRole.CheckStateRole)


def test_the_present_curve_is_drawn_before_the_fit_ends(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    modes = {1e-2: 1e5, 1.0: 3e4, 50.0: 1e3}
    open_file(window, qtbot, moduli(tmp_path / "many.csv", 8_000, modes))
    assert window.model_picker.choose("fractional_maxwell_model")
    plot = data_plot(window)
    click(qtbot, window.run_panel.fit_button)
    seen = []

    def has_changed() -> bool:
        if window.session.is_running and plot.curve is not None:
            seen.append(plot.curve)
        return len(seen) > 1 and not np.array_equal(seen[0].parts[0], seen[-1].parts[0])

    qtbot.waitUntil(has_changed, timeout=JOB_MS)
    first, last = seen[0], seen[-1]
    assert first.name == "fractional_maxwell_model, present curve"
    assert (len(first.parts), first.x.size) == (2, 200)
    drawn = plot.plot.listDataItems()[-1].getOriginalDataset()[1]
    assert np.array_equal(drawn, last.parts[1])
    assert fit_view(window).loss_plot.count() > 1
    # It is paused, and continues as if it had not been.
    click(qtbot, window.run_panel.pause_button)
    qtbot.waitUntil(lambda: window.session.is_paused)
    qtbot.waitUntil(lambda: window.run_panel.pause_button.text() == "&Resume")
    click(qtbot, window.run_panel.pause_button)
    finish(window, qtbot)
    assert window.session.fit_result is not None
    assert "fractional_maxwell_model" in fit_view(window).report.toPlainText()
    assert not window.run_panel.pause_button.isEnabled()
    assert window.run_panel.pause_button.text() == "&Pause"


def test_a_fixed_parameter_stays_and_earlier_fits_are_kept_for_comparison(
    window: MainWindow, qtbot: QtBot
) -> None:
    prepare(window, qtbot, draws=100)
    assert window.model_picker.choose("zener")
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    assert window.model_picker.choose("maxwell")
    (first,) = fit_view(window).kept.fits()
    assert [curve.name for curve in data_plot(window)._kept] == [first.name]
    value = window.parameters.index(0, ParameterColumn.VALUE)
    assert window.parameters.setData(value, "5e4")
    tick(window, "G0", True)
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    result = window.session.fit_result
    assert result is not None
    assert result.parameters["G0"] == 5e4
    assert result.fixed == {"G0": 5e4}
    report = fit_view(window).report.toPlainText()
    for words in ("reduced χ²", "AICc", "R²", "ended with", "fixed"):
        assert words in report
    # The tick outlasts the fit; without it the parameter is free, within the bounds given.
    assert window.parameters.fixed_values() == {"G0": 5e4}
    click(qtbot, window.run_panel.sample_button)
    finish(window, qtbot)
    draws = posterior_view(window).plot._draws
    assert draws is not None
    assert "eta" in draws.values
    assert "G0" not in draws.values
    assert window.parameters.fixed_values() == {"G0": 5e4}
    tick(window, "G0", False)
    bounds = window.parameters.index(0, ParameterColumn.BOUNDS)
    assert not window.parameters.setData(bounds, "5 … 1")
    assert "must ascend" in window.parameter_message.text()
    assert window.parameters.setData(bounds, "6e4 … 7e4")
    assert window.parameter_message.isHidden()
    assert window.parameters.setData(value, "")
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    assert window.session.fit_result is not None
    assert 6e4 <= window.session.fit_result.parameters["G0"] <= 7.001e4
    click(qtbot, window.run_panel.sample_button)
    finish(window, qtbot)
    draws = posterior_view(window).plot._draws
    assert draws is not None
    assert draws.values["G0"].max() <= 7e4
    kept = fit_view(window).kept
    assert len(kept.fits()) == 3
    assert len(data_plot(window)._kept) == 2
    assert kept.table.item(0, 0).text() == "zener"
    kept.table.selectRow(0)
    click(qtbot, kept.remove_button)
    assert [fit.result.model_name for fit in kept.fits()] == ["maxwell", "maxwell"]
    assert len(data_plot(window)._kept) == 1


def test_traces_grow_and_a_pause_changes_no_draw(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    prepare(window, qtbot, draws=500)
    open_file(window, qtbot, moduli(tmp_path / "some.csv", 2000, {1.0: 3e4}))
    click(qtbot, window.run_panel.fit_button)
    finish(window, qtbot)
    results = []
    window.session.sampled.connect(results.append)
    view = posterior_view(window)
    lengths: list[int] = []

    def note(progress: Any) -> None:
        if "traces" in progress.metrics:
            lengths.append(int(progress.metrics["trace_draws"][-1]))

    window.session.reported.connect(note)
    click(qtbot, window.run_panel.sample_button)
    finish(window, qtbot)
    window.run_panel.draws.setValue(500_000)
    click(qtbot, window.run_panel.sample_button)
    lengths.clear()
    qtbot.waitUntil(lambda: len(set(lengths)) > 1, timeout=JOB_MS)
    assert lengths == sorted(lengths)
    qtbot.waitUntil(lambda: view.plot.traces and view.plot.is_drawn, timeout=JOB_MS)
    assert window.session.is_running
    curve = view.plot.traces[0].items[1]
    # Of many draws only some are shown; a busy machine may have reported fewer so far.
    qtbot.waitUntil(lambda: curve.getOriginalDataset()[1].size == 200, timeout=JOB_MS)
    assert "acceptance" in view.status.text()
    assert all(view.table.words())
    click(qtbot, window.run_panel.pause_button)
    qtbot.waitUntil(lambda: window.session.is_paused)
    counts = until_still(qtbot, window.run_panel.chain_bars.counts)
    click(qtbot, window.run_panel.pause_button)
    qtbot.waitUntil(lambda: window.run_panel.chain_bars.counts() > counts, timeout=JOB_MS)
    click(qtbot, window.run_panel.cancel_button)
    finish(window, qtbot)
    assert "draws are kept" in window.run_panel.message.text()
    (undisturbed,) = results
    kept = view.plot._draws
    assert kept is not None
    drawn = undisturbed.posterior_samples["G0"].reshape(2, -1)
    shown = kept.at < drawn.shape[1]
    np.testing.assert_array_equal(kept.values["G0"][:, shown], drawn[:, kept.at[shown]])


def test_a_sampling_stops_when_it_is_good(window: MainWindow, qtbot: QtBot) -> None:
    prepare(window, qtbot, draws=2000, warmup=300)
    window.run_panel.stop_when_good.setChecked(True)
    window.run_panel.good_ess.setValue(100)
    click(qtbot, window.run_panel.sample_button)
    finish(window, qtbot)
    window.run_panel.stop_when_good.setChecked(False)
    assert set(posterior_view(window).table.words()) == {"good"}
    assert "× 2000" not in posterior_view(window).status.text()


def test_a_prior_of_the_editor_arrives_and_a_wrong_one_starts_nothing(
    window: MainWindow, qtbot: QtBot
) -> None:
    prepare(window, qtbot, draws=50)
    editor, run = priors_editor(window), window.run_panel
    window.tabs.setCurrentWidget(editor)
    editor.choose("G0")
    editor.kinds.setCurrentIndex(editor.kinds.findData("lognormal"))
    editor.kinds.activated.emit(editor.kinds.currentIndex())
    editor.fields["scale"].setText("-1")
    assert "scale must be positive" in editor.message.text()
    click(qtbot, run.sample_button)
    assert not window.session.is_running
    assert "scale must be positive" in run.message.text()
    editor.fields["loc"].setText("10")
    editor.fields["scale"].setText("2")
    results: list[Any] = []
    window.session.sampled.connect(results.append)
    click(qtbot, run.sample_button)
    finish(window, qtbot)
    (result,) = results
    assert result.diagnostics["priors"]["G0"] == "LogNormal(loc=10, scale=2)"
    assert result.inference_arrays is not None, "looking at it built no tree"
    # Pairs and ranks are drawn when they are shown, one plot after the other.
    view = posterior_view(window)
    window.tabs.setCurrentWidget(view)
    for page, cells in ((view.pairs, 4 * 5 // 2), (view.ranks, 4)):
        assert page.plots == {}
        view.pages.setCurrentWidget(page)
        qtbot.waitUntil(lambda page=page: page.is_drawn, timeout=JOB_MS)
        assert len(page.plots) == cells
