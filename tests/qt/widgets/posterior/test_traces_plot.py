from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor, QPalette

from rheojobs.qt.widgets.plots.small_plot import SmallPlot
from rheojobs.qt.widgets.posterior.traces_plot import PosteriorPlot


@pytest.fixture
def plot(qtbot: QtBot) -> PosteriorPlot:
    made = PosteriorPlot()
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


def show(plot: PosteriorPlot, qtbot: QtBot, names: str, chains: int = 2, draws: int = 50) -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=(chains, draws)) for name in names}
    plot.show_traces(values, np.arange(draws), {"a": "Pa"})
    qtbot.waitUntil(lambda: plot.is_drawn)


def shown(plot: PosteriorPlot) -> list[int]:
    return [sum(one.isVisible() for one in ones) for ones in (plot.traces, plot.spreads)]


def test_plots_are_made_ahead_and_stay_for_other_draws(plot: PosteriorPlot, qtbot: QtBot) -> None:
    plot.prepare(3)
    qtbot.waitUntil(lambda: plot.is_drawn)
    assert len(plot.traces) == len(plot.spreads) == 3
    assert shown(plot) == [0, 0]
    made = [*plot.traces, *plot.spreads]
    show(plot, qtbot, "abc")
    assert shown(plot) == [3, 3]
    plot.clear()
    show(plot, qtbot, "xy", chains=4)
    assert shown(plot) == [2, 2]
    assert [*plot.traces, *plot.spreads] == made
    assert [len(trace.items) for trace in plot.traces] == [4, 4, 2]
    # The remaining plots take no space.
    view, last = plot.view, plot.traces[1]
    assert last.geometry().bottom() > view.height() - 20
    show(plot, qtbot, "wxyz", chains=1)
    assert shown(plot) == [4, 4]
    assert [len(trace.items) for trace in plot.traces] == [1, 1, 1, 1]


def test_clearing_does_not_stop_what_is_made_ahead(plot: PosteriorPlot, qtbot: QtBot) -> None:
    plot.prepare(2)
    plot.clear()
    plot.prepare(3)  # another model, before all is made for the first
    qtbot.waitUntil(lambda: plot.is_drawn)
    assert len(plot.traces) == 3


def test_other_colours_are_taken_up(plot: PosteriorPlot, qtbot: QtBot) -> None:
    show(plot, qtbot, "ab")
    light = plot.grab().toImage()
    plot.setPalette(QPalette(QColor("#303236")))
    qtbot.waitUntil(lambda: plot.is_drawn)
    assert shown(plot) == [2, 2]
    dark = plot.grab().toImage()
    at = plot.traces[1].mapTo(plot, QPoint(100, 5))
    assert light.pixelColor(at).lightness() > 200
    assert dark.pixelColor(at).lightness() < 100


def test_a_small_plot_makes_its_menu_when_it_is_wanted(qtbot: QtBot) -> None:
    plot = SmallPlot()
    qtbot.addWidget(plot)
    plot.resize(200, 150)
    plot.show()
    assert plot.box.menu is None
    plot.box.raiseContextMenu = lambda event: raised.append(event)
    raised: list[object] = []
    qtbot.mouseClick(plot.view.viewport(), Qt.MouseButton.RightButton, pos=QPoint(120, 60))
    qtbot.waitUntil(lambda: bool(raised))
    assert plot.box.menu is not None


def test_a_small_plot_without_a_title_has_no_room_for_one(qtbot: QtBot) -> None:
    plot = SmallPlot()
    qtbot.addWidget(plot)
    plot.resize(200, 150)
    plot.show()
    before = plot.box.geometry()
    assert before.top() < 10
    plot.set_title("words")
    qtbot.waitUntil(lambda: plot.box.geometry().top() > before.top() + 10)
