"""The view of a fit: its loss, its report, its residuals, and what does not move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.common.colors import alarm, caution, good
from rheojobs.qt.widgets.fit.fit_view import FitView
from rheojobs.qt.widgets.fit.loss_plot import LossPlot
from rheojobs.qt.widgets.plots.oscillation_menu import OscillationMenu

OMEGA = np.geomspace(0.01, 100.0, 25)[::-1]
MODULI = 1e4 * 1j * OMEGA / (1 + 1j * OMEGA)
SWEEP = Dataset(OMEGA, MODULI, "oscillation", x_unit="rad/s", y_unit="Pa")
FIT = FitResult(
    "maxwell", {"G0": 9e3, "tau_1": 1.0}, 0.99, 10.0, 1.0, 0.1, datetime.now(UTC), 7, True,
    uncertainties={"G0": 1.0, "tau_1": 0.1}, residuals=0.1 * MODULI, fitted=0.9 * MODULI,
    weights="relative", message="done",
)  # fmt: skip


@pytest.fixture
def view(qtbot: QtBot) -> FitView:
    view = FitView()
    qtbot.addWidget(view)
    view.resize(800, 540)
    view.show()
    view.show_data(SWEEP, SWEEP)
    return view


def places(view: FitView) -> list[object]:
    parts = (view.data_plot, view.residual_plot, view.details)
    return [(part.geometry(), part.isVisible()) for part in parts]


def test_nothing_moves_when_a_fit_begins_and_ends(view: FitView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: view.details.isVisible())
    before = places(view)
    tab = view.details.currentIndex()
    view.begin_fit("present")
    y = np.stack([MODULI.real, MODULI.imag])[:, ::-1]
    losses = np.array([[1.0, 2.0], [5.0, 4.0], [1.0, 1.0]])
    view.take_progress(2, {"loss": 4.0, "curve_x": OMEGA[::-1], "curve_y": y, "losses": losses})
    qtbot.waitUntil(lambda: view.residual_plot.residuals is not None)
    assert places(view) == before
    view.show_fit(FIT, "fitted")
    view.end()
    assert places(view) == before
    assert view.details.currentIndex() == tab


def test_residuals_are_those_of_the_present_curve_then_of_the_fit(
    view: FitView, qtbot: QtBot
) -> None:
    view.begin_fit("present")
    y = 0.5 * np.stack([MODULI.real, MODULI.imag])[:, ::-1]
    losses = np.ones((3, 1))
    view.take_progress(1, {"loss": 1.0, "curve_x": OMEGA[::-1], "curve_y": y, "losses": losses})
    qtbot.waitUntil(lambda: view.residual_plot.residuals is not None)
    present = view.residual_plot.residuals
    assert present is not None
    assert present.unit == "%"
    np.testing.assert_allclose(present.parts[1], 50.0)
    view.show_fit(FIT, "fitted")
    fitted = view.residual_plot.residuals
    assert fitted is not None
    np.testing.assert_allclose(fitted.parts[0], 10.0)
    view.begin_fit("next")
    view.end()
    assert view.residual_plot.residuals is None


def test_known_deviations_give_residuals_in_sigma(view: FitView) -> None:
    sigma = (0.05 * np.abs(MODULI) * (1 + 1j)).astype(np.complex128)
    data = replace(SWEEP, sigma=sigma)
    view.show_data(data, data)
    view.show_fit(replace(FIT, weights="sigma"), "fitted")
    shown = view.residual_plot.residuals
    assert shown is not None
    assert shown.unit == "σ"
    expected = (2.0 * MODULI / np.abs(MODULI))[::-1]
    np.testing.assert_allclose(shown.parts[0], expected.real)


def test_the_residuals_share_the_x_of_the_data_unless_this_is_another_quantity(
    view: FitView,
) -> None:
    menu = view._menu
    assert view.view_button.isVisible()
    box = view.data_plot.plot.getViewBox()
    for name in ("tan_delta", "viscosity", "moduli"):
        menu.actions_of[name].trigger()
        assert view.residual_plot.plot.getViewBox().linkedView(0) is box
    menu.actions_of["cole_cole"].trigger()
    assert view.view_button.text() == "Cole–Cole: η″ over η′"
    assert view.residual_plot.plot.getViewBox().linkedView(0) is None
    assert "ω / rad s⁻¹" in view.residual_plot.plot.getAxis("bottom").labelText
    assert view.residual_plot.plot.getAxis("bottom").logMode
    view.clear()
    assert not view.view_button.isVisible()
    assert not menu.actions_of["moduli"].isEnabled()


def test_data_and_residuals_are_moved_together(view: FitView, qtbot: QtBot) -> None:
    view.show_fit(FIT, "fitted")
    view.data_plot.plot.setXRange(-1.0, 1.0, padding=0)
    ranges = (view.data_plot.plot.viewRange, view.residual_plot.plot.viewRange)
    qtbot.waitUntil(lambda: np.allclose(ranges[0]()[0], ranges[1]()[0], atol=0.02))
    np.testing.assert_allclose(ranges[1]()[0], [-1.0, 1.0], atol=0.02)
    # One axis of x for both.
    assert view.data_plot.plot.getAxis("bottom").labelText == ""
    assert view.residual_plot.plot.getAxis("bottom").labelText == "ω / rad s⁻¹"


def test_a_view_has_a_menu_of_its_own_or_follows_that_of_its_window(
    view: FitView, qtbot: QtBot
) -> None:
    view.view_button.menu().actions()[2].trigger()
    frame = view.data_plot.frame
    assert frame is not None
    assert frame.symbols == ("tan δ",)
    menu = OscillationMenu(view)
    view = FitView(menu=menu)
    qtbot.addWidget(view)
    view.show_data(SWEEP, SWEEP)
    assert view.view_button.menu() is menu
    assert view.data_plot.frame is not None
    assert view.data_plot.frame.symbols == ("G′", "G″")
    assert menu.actions_of["cole_cole"].isEnabled()


def test_the_loss_is_broken_at_each_start(qtbot: QtBot) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    points = np.array([[1, 2, 3, 4, 5], [9.0, 5.0, 8.0, 3.0, 0.0], [1, 1, 2, 2, 2]])
    plot.replace(points.astype(float))
    plot.draw()
    assert plot.curve.opts["connect"].tolist() == [1, 0, 1, 1, 0]
    assert (plot.curve.getOriginalDataset()[1] > 0).all()
    plot.add(5, 1.0, 2)  # known already
    plot.add(6, 1.0, 3)
    plot.draw()
    assert plot.count() == 6
    assert plot.curve.opts["connect"].tolist() == [1, 0, 1, 1, 0, 0]
    plot.clear()
    assert plot.count() == 0


def color_of(view: FitView, words: str) -> str:
    html = view.report.toHtml()
    return html[: html.index(words)].rpartition("color:")[2][:7]


def test_the_head_of_the_report_is_green_only_without_warnings(view: FitView) -> None:
    palette = view.palette()
    view.show_fit(FIT, "fitted")
    assert color_of(view, "converged") == good(palette).name()
    view.show_fit(replace(FIT, warnings=["the data hardly determine tau_1"]), "fitted")
    assert color_of(view, "converged, with warnings") == caution(palette).name()
    text = view.report.toPlainText()
    assert "⚠ The data hardly determine τ₁." in text
    assert "G₀" in text
    view.show_fit(replace(FIT, success=False, message="too many iterations"), "fitted")
    assert color_of(view, "not converged") == alarm(palette).name()
    assert "⚠ The fit did not converge: too many iterations." in view.report.toPlainText()


def test_a_fit_with_warnings_is_marked_in_the_comparison(view: FitView) -> None:
    view.show_fit(FIT, "maxwell")
    view.show_fit(replace(FIT, model_name="zener", warnings=["tau_1 is at its bound"]), "zener")
    items = {
        item.text(): item for row in range(2) if (item := view.kept.table.item(row, 0)) is not None
    }
    assert items["maxwell"].icon().isNull()
    assert not items["zener"].icon().isNull()
    assert items["zener"].toolTip() == "τ₁ is at its bound."
