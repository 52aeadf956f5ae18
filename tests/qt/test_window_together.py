"""Several datasets on one plot, and the choice of its axes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyqtgraph as pg
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QGraphicsItem
from tests.qt.helpers import data_plot

from rheojobs import Dataset
from rheojobs.inference.results.curves import Curve
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.plots.data_plot import DataPlot

pytestmark = pytest.mark.usefixtures("quiet_qt")

T = np.geomspace(0.1, 10.0, 30)


def relaxation(number: int) -> Dataset:
    return Dataset(T, number * 1e3 * np.exp(-T), "relaxation", name=f"sample {number}")


@pytest.fixture
def window(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    monkeypatch.setenv("RHEOJOBS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    window = MainWindow()
    window.show()
    yield window
    window.close()
    window.deleteLater()
    qapp.processEvents()


def points(plot: DataPlot) -> list[np.ndarray]:
    """Return the drawn points: of each component of the present data, and of other datasets."""
    items = [item for item in plot.plot.listDataItems() if item.opts["symbol"] is not None]
    return [
        10.0 ** item.getData()[1]
        if isinstance(item, pg.ScatterPlotItem)
        else item.getOriginalDataset()[1]
        for item in items
    ]


def legend(plot: DataPlot) -> list[str]:
    return [label.text for _, label in plot._legend.items]


def test_data_of_the_same_test_are_shown_together(window: MainWindow, qtbot: QtBot) -> None:
    panel, plot = window.data_panel, data_plot(window)
    for dataset in (relaxation(1), relaxation(2), Dataset(T, T, "creep", name="another test")):
        window.library.add(dataset)
    assert panel.together.isVisible()
    window.data_panel.names.activated.emit(1)
    assert len(points(plot)) == 1
    qtbot.mouseClick(panel.together, Qt.MouseButton.LeftButton)
    assert [y[0] for y in points(plot)] == pytest.approx([relaxation(2).y[0], relaxation(1).y[0]])
    assert legend(plot) == ["G", "sample 1"]
    # The curve of a fit lies over the present data; the others stay.
    plot.show_curve("fit", relaxation(2).y)
    assert len(points(plot)) == 2
    window.data_panel.names.activated.emit(0)
    assert legend(plot) == ["G", "sample 2"]
    window.data_panel.names.activated.emit(2)
    assert legend(plot) == ["J"]
    qtbot.mouseClick(panel.together, Qt.MouseButton.LeftButton)
    window.data_panel.names.activated.emit(0)
    assert legend(plot) == ["G"]


def test_flow_curves_are_brought_to_one_quantity(window: MainWindow, qtbot: QtBot) -> None:
    rate = np.geomspace(0.1, 100.0, 20)
    stress = Dataset(rate, 5.0 * rate, "flow_curve", "a", "shear stress", "1/s", "Pa")
    viscosity = Dataset(rate, np.full(20, 3.0), "flow_curve", "b", "viscosity", "1/s", "Pa s")
    window.library.add(viscosity)
    window.library.add(stress)
    qtbot.waitUntil(lambda: window.model_picker.model is not None, timeout=60_000)
    window.data_panel.together.setChecked(True)
    mine, other = points(data_plot(window))
    assert window.model_picker.model.flow_quantity == "stress"
    assert np.allclose(mine, 5.0 * rate)
    assert np.allclose(other, 3.0 * rate)


def test_many_are_counted_and_not_all_drawn(qtbot: QtBot) -> None:
    plot = DataPlot()
    qtbot.addWidget(plot)
    t = np.geomspace(0.01, 10.0, 4000)
    plot.show_data(Dataset(t, np.exp(-t), "relaxation"))
    plot.show_others([Dataset(t, n * np.exp(-t), "relaxation", name=str(n)) for n in range(1, 31)])
    drawn = points(plot)
    assert len(drawn) == 1 + 8
    assert sum(y.size for y in drawn) <= 1500 + 400
    assert legend(plot)[-1] == "… and 22 more"


def test_the_axes_are_chosen_and_stay_so(window: MainWindow) -> None:
    menu = window.menus.axes
    menu.linear.trigger()  # before there is anything to show
    window.library.add(relaxation(1))
    plot = data_plot(window)
    assert not plot.is_log
    assert not plot.plot.getAxis("bottom").logMode
    window.library.add(relaxation(2))
    assert not plot.is_log
    menu.logarithmic.trigger()
    assert plot.is_log
    window.library.add(Dataset(T, T, "startup"))
    assert plot.is_log
    menu.usual.trigger()
    assert plot.is_log  # T spans decades, as in a figure
    window.library.add(Dataset(T + 50.0, T + 50.0, "startup"))
    assert not plot.is_log
    window.data_panel.names.activated.emit(0)
    assert plot.is_log


def test_a_present_curve_leaves_all_else_as_it_was(qtbot: QtBot) -> None:
    """Present curves come many times a second: only what they change is painted."""
    plot = DataPlot()
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show()
    first = Dataset(T, np.exp(-T) * (1 + 2j), "oscillation")
    others = [Dataset(T, n * np.exp(-T) * (1 + 2j), "oscillation", name=str(n)) for n in (2, 3)]
    plot.show_data(first)
    plot.show_others(others)
    plot.show_present(Curve.of("present", T, first.y))
    assert [y.size for y in points(plot)] == [30, 30, 60, 60]
    qtbot.wait(20)
    items = list(plot.plot.items)
    axis = plot.plot.getAxis("left")
    pictures = axis.picture
    painted: list[object] = []
    plot.view.scene().sigPrepareForPaint.connect(lambda: painted.append(1))
    plot.show_present(Curve.of("present", T, 1.1 * first.y))
    qtbot.waitUntil(lambda: bool(painted))
    assert list(plot.plot.items) == items
    assert axis.picture is pictures
    assert axis.cacheMode() != QGraphicsItem.CacheMode.NoCache
    # Data that are already shown are not drawn again for another model.
    plot.show_others([])
    items = list(plot.plot.items)
    plot.show_data(first)
    assert list(plot.plot.items) == items
    assert plot.curve is None
    assert legend(plot) == ["G′", "G″"]
