"""What the plot of the data shows of an oscillation, and the residuals below it."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bands import Band
from rheojobs.inference.results.curves import Curve
from rheojobs.inference.results.oscillation_views import VIEWS, OscillationView
from rheojobs.inference.results.residuals import residuals_of
from rheojobs.qt.widgets.plots.data_plot import DataPlot
from rheojobs.qt.widgets.plots.oscillation_menu import OscillationMenu
from rheojobs.qt.widgets.plots.residual_plot import ResidualPlot

OMEGA = np.geomspace(0.01, 100.0, 25)
MODULI = 1e4 * 1j * OMEGA / (1 + 1j * OMEGA)
SWEEP = Dataset(OMEGA, MODULI, "oscillation", x_unit="rad/s", y_unit="Pa")
OTHER = Dataset(OMEGA, 2 * MODULI, "oscillation", x_unit="rad/s", y_unit="Pa")
VIEW = {view.name: view for view in VIEWS}


@pytest.fixture
def plot(qtbot: QtBot) -> DataPlot:
    plot = DataPlot()
    qtbot.addWidget(plot)
    plot.resize(500, 350)
    plot.show_data(SWEEP, [Curve.of("earlier", OMEGA, 1.1 * MODULI)])
    return plot


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_data_curve_earlier_fits_and_others_are_shown_in_a_view(
    view: OscillationView, plot: DataPlot
) -> None:
    plot.show_curve("fit", MODULI)
    plot.show_others([OTHER])
    plot.set_view(view)
    expected_x, parts = view.points(OMEGA, MODULI.real, MODULI.imag)
    count = len(parts)
    items = plot.plot.listDataItems()
    dots = [item for item in items if getattr(item, "opts", {}).get("symbol") == "o"]
    lines = [item for item in plot._curve_items if item.isVisible()]
    assert (len(dots), len(lines)) == (count, count)
    for index, part in enumerate(parts):
        for item in (dots[index], lines[index]):
            x, y = item.getOriginalDataset()
            np.testing.assert_allclose(x, expected_x)
            np.testing.assert_allclose(y, part)
    named = [label.text for _, label in plot._legend.items]
    assert [*view.symbols, "fit", "earlier", "unnamed"] == [
        name for name in (*view.symbols, "fit", "earlier", "unnamed") if name in named
    ]
    assert tuple(plot.plot.getAxis(side).logMode for side in ("bottom", "left")) == view.log
    assert view.y_label in plot.plot.getAxis("left").labelText


def test_a_choice_of_axes_holds_in_each_view(plot: DataPlot) -> None:
    plot.set_view(VIEW["cole_cole"])
    assert plot.frame is not None
    assert plot.frame.log == (False, False)
    plot.set_log(True)
    assert plot.frame.log == (True, True)
    plot.set_view(VIEW["van_gurp_palmen"])
    assert plot.frame.log == (True, True)
    plot.set_log(None)
    assert plot.frame.log == (True, False)


def test_bands_are_drawn_only_of_what_is_measured(plot: DataPlot) -> None:
    bands = [Band(OMEGA, 0.9 * part, 1.1 * part) for part in (MODULI.real, MODULI.imag)]
    plot.show_bands(bands)
    shown = len(plot._extra_items)
    plot.set_view(VIEW["tan_delta"])
    assert shown - len(plot._extra_items) == 2 * 2 + 1  # and one line less of the earlier fit
    plot.set_view(VIEW["moduli"])
    assert len(plot._extra_items) == shown


def test_other_tests_have_no_views(plot: DataPlot) -> None:
    plot.set_view(VIEW["tan_delta"])
    t = np.geomspace(0.1, 10.0, 20)
    plot.show_data(Dataset(t, np.exp(-t), "relaxation", x_unit="s", y_unit="Pa"))
    assert plot.frame is not None
    assert plot.frame.view is None
    assert plot.plot.getAxis("left").labelText == "G / Pa"


def test_the_menu_offers_the_views_with_keys_and_only_for_oscillations(qtbot: QtBot) -> None:
    menu = OscillationMenu()
    qtbot.addWidget(menu)
    assert menu.view.is_modulus_view
    assert not any(action.isEnabled() for action in menu.actions())
    menu.set_offered(True)
    with qtbot.waitSignal(menu.chosen):
        menu.actions_of["tan_delta"].trigger()
    assert menu.view.name == "tan_delta"
    keys = [action.shortcut().toString() for action in menu.actions()]
    assert keys == ["Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+4", "Ctrl+5"]


def test_residuals_look_like_the_data_and_show_runs(qtbot: QtBot) -> None:
    below = ResidualPlot()
    qtbot.addWidget(below)
    below.set_x("ω", True, None)
    residuals = residuals_of(OMEGA, MODULI, MODULI * (0.9 + 0j), is_relative=True)
    below.show_residuals(residuals)
    first, second = below.items
    np.testing.assert_allclose(first.getOriginalDataset()[1], 10.0)
    assert first.opts["pen"] is not None  # neighbours are joined
    # Distinguished as in the data: filled and open.
    assert pg.mkBrush(first.opts["symbolBrush"]).style() == Qt.BrushStyle.SolidPattern
    assert pg.mkBrush(second.opts["symbolBrush"]).style() == Qt.BrushStyle.NoBrush
    assert "Residual / %" in below.plot.getAxis("left").labelText
    low, high = below.plot.viewRange()[1]
    assert -low == high > 10.0
    below.show_residuals(None)
    assert [item.getData()[0] is None or item.getData()[0].size == 0 for item in below.items] == [
        True,
        True,
    ]


def test_a_residual_without_a_value_breaks_the_line(qtbot: QtBot) -> None:
    below = ResidualPlot()
    qtbot.addWidget(below)
    below.set_x("t", False, None)
    t = np.array([1.0, 2.0, 3.0])
    below.show_residuals(residuals_of(t, np.array([1.0, 0.0, 2.0]), t, is_relative=True))
    assert below.residuals is not None
    assert np.isnan(below.residuals.parts[0][1])
    assert below.items[0].opts["connect"] == "finite"
    assert not below.grab().isNull()
