"""The view of many files: its columns, sorting, the mouse in the plot, and two hundred rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

from rheojobs import Dataset
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.series.model import SeriesModel
from rheojobs.qt.widgets.series.rows import FitState, SeriesRow
from rheojobs.qt.widgets.series.trend_axis import axes_of
from rheojobs.qt.widgets.series.view import SeriesView

pytestmark = pytest.mark.usefixtures("quiet_qt")

T = np.geomspace(0.1, 10.0, 20)


def fit(number: int, *, r_squared: float = 0.999) -> FitResult:
    tau = 10.0 ** (3 - number / 40)
    return FitResult(
        model_name="maxwell",
        parameters={"G0": 2e4, "tau": tau},
        r_squared=r_squared,
        mpe=1.5,
        chi_squared=1.0,
        fit_time=0.1,
        timestamp=datetime.now(UTC),
        n_iterations=4,
        success=True,
        uncertainties={"G0": 100.0, "tau": 0.1 * tau},
        fitted=np.exp(-T),
        units={"G0": "Pa", "tau": "s"},
        bounds={"G0": (1e-3, 1e9), "tau": (1e-6, 1e6)},
    )


def row(number: int, **conditions: float) -> SeriesRow:
    data = Dataset(T, np.exp(-T), "relaxation", name=f"run{number}", conditions=conditions)
    return SeriesRow(number, data, Path(f"run{number}.csv"))


def series(count: int) -> list[SeriesRow]:
    rows = [row(number, T=300.0 + number) for number in range(count)]
    for number, one in enumerate(rows):
        one.fit, one.fitted = fit(number, r_squared=0.5 if number == 3 else 0.999), one.dataset
        one.label = "maxwell"
    return rows


@pytest.fixture
def show(qtbot: QtBot) -> Callable[[list[SeriesRow]], SeriesView]:
    def made(rows: list[SeriesRow]) -> SeriesView:
        model = SeriesModel()
        model.set_rows(rows)
        view = SeriesView(model)
        model.setParent(view)
        qtbot.addWidget(view)
        view.resize(800, 560)
        view.show()
        view.finish()
        return view

    return made


Show = Callable[[list[SeriesRow]], SeriesView]


def texts(view: SeriesView, title: str) -> list[str]:
    model = view.table.model()
    place = next(k for k, c in enumerate(view.model.columns) if c.title == title)
    return [str(model.index(k, place).data()) for k in range(model.rowCount())]


def test_each_state_has_a_mark_and_a_word(show: Show) -> None:
    rows = series(5)
    rows.append(SeriesRow("x", None, Path("x.csv"), problem="x.csv: no table"))
    rows[1].is_waiting = True
    rows[2].is_fitting, rows[2].iteration = True, 7
    rows[4].fit, rows[4].problem = None, "G0 is outside of its bounds"
    view = show(rows)
    assert texts(view, "State") == [
        "✓ fitted",
        "… waiting",
        "▸ fitting 7",
        "▲ doubtful",
        "✗ failed",
        "✗ not read",
    ]
    remarks = texts(view, "Remark")
    assert remarks[0] == ""
    assert remarks[3].startswith("the curve misses the data")
    assert remarks[4:] == ["G0 is outside of its bounds", "x.csv: no table"]
    assert texts(view, "tau / s")[0] == "1000 ± 100"
    assert view.status.text() == "1 fitted, 1 doubtful, 1 failed, 1 not read, 2 to do"
    assert view.cancel_button.isEnabled()
    assert not view.fit_all_button.isEnabled()  # there is no model yet
    view.set_can_fit(True)
    assert view.fit_all_button.isEnabled()


def test_the_table_is_sorted_by_numbers_and_empty_cells_come_last(show: Show) -> None:
    rows = [row(0, T=1000.0), row(1), row(2, T=90.0), row(3, T=200.0)]
    view = show(rows)
    place = next(k for k, c in enumerate(view.model.columns) if c.title == "T / K")
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        view.table.sortByColumn(place, order)
        values = texts(view, "T / K")
        assert values[-1] == ""
        assert (
            sorted(values[:3], key=float, reverse=order is Qt.SortOrder.DescendingOrder)
            == (values[:3])
        )
    view.table.select([rows[2]])
    assert view.table.selected() == [rows[2]]
    assert view.table.current() is rows[2]


def test_notes_that_say_nothing_unusual_are_in_the_hint_only() -> None:
    data = Dataset(
        T,
        np.exp(-T),
        "relaxation",
        notes=("time (s): time / s", "T = 300 K: '300K' in the file's name", "2 rows left out"),
    )
    one = SeriesRow(0, data)
    assert one.first_remark() == "2 rows left out"
    assert len(one.remarks()) == 3
    assert one.state is FitState.READY


def drag(view: SeriesView, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a rectangle with the left button; places are fractions of the area of the plot."""
    assert view.trend is not None
    plot = view.trend.view
    area = plot.getPlotItem().getViewBox().sceneBoundingRect()
    places = [
        QPointF(area.left() + x * area.width(), area.top() + y * area.height())
        for x, y in (start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end)
    ]
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, place, button, buttons in (
        (QEvent.Type.MouseButtonPress, places[0], left, left),
        (QEvent.Type.MouseMove, places[1], none, left),
        (QEvent.Type.MouseMove, places[2], none, left),
        (QEvent.Type.MouseButtonRelease, places[2], left, none),
    ):
        where = plot.viewport().mapToGlobal(place)
        event = QMouseEvent(kind, place, where, button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(plot.viewport(), event)
        time.sleep(0.03)  # pyqtgraph takes moves at most 60 times a second


def test_a_rectangle_selects_the_points_in_it(show: Show, qtbot: QtBot) -> None:
    view = show(series(10))
    view.parameter.setCurrentIndex(1)
    view.finish()
    qtbot.waitExposed(view)
    qtbot.wait(50)
    assert view.trend is not None
    assert view.trend.trend is not None
    assert view.trend.trend.name == "tau"
    drag(view, (0.0, 0.0), (0.48, 1.0))
    assert [one.name for one in view.table.selected()] == [f"run{k}" for k in range(5)]
    before = view.trend.plot.getViewBox().viewRange()
    view.table.clearSelection()
    view.finish()
    assert view.trend.plot.getViewBox().viewRange() == before


def test_two_hundred_rows_take_no_widgets_and_little_time(show: Show) -> None:
    few, many = show(series(3)), show(series(200))
    assert len(many.table.findChildren(QWidget)) == len(few.table.findChildren(QWidget))
    taken = []
    for number in range(5):
        many.table.select([many.model.rows[number]])
        many.model.rows[number].remark = "changed"
        many.model.touch(many.model.rows[number])
        begin = time.thread_time()
        many.finish()
        taken.append(time.thread_time() - begin)
    assert min(taken) < 0.05
    assert texts(many, "File")[199] == "run199"


def test_rows_that_stay_keep_their_selection(show: Show) -> None:
    rows = series(6)
    view = show(rows)
    view.table.select(rows[3:5])
    view.model.set_rows([*rows[1:4], row(9), *rows[4:]])
    assert view.table.selected() == rows[3:5]
    assert math.isnan(view.model.rows[0].modified)


def test_the_axes_are_those_that_rows_have_values_for() -> None:
    rows = [row(0, T=250.0, pH=7.0), row(1, c=0.1)]
    assert [axis.title for axis in axes_of(rows)] == [
        "Temperature T / K",
        "1000 / T / (1/K)",
        "Concentration c",
        "pH",
        "Number of the file",
    ]
    assert [axis.value(rows[0], 4) for axis in axes_of(rows)] == pytest.approx(
        [250.0, 4.0, math.nan, 7.0, 5.0], nan_ok=True
    )
    rows[1].modified = 1e9
    assert [axis.kind for axis in axes_of(rows[1:])] == ["condition", "order", "time"]
