"""Tables and plots are copied with all digits."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QTableWidget, QTableWidgetItem

from rheojobs.inference.models.parameters import Parameter
from rheojobs.qt.widgets.common.copying import (
    COPY_ROLE,
    copied_number,
    make_copyable,
    plain_text,
    table_text,
)
from rheojobs.qt.widgets.common.texts import number
from rheojobs.qt.widgets.model.parameter_model import ParameterModel
from rheojobs.qt.widgets.model.parameter_table import ParameterTable
from rheojobs.qt.widgets.plots.plot_copying import make_plot_copyable, plot_text
from rheojobs.qt.widgets.plots.small_plot import SmallPlot


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("4.46×10⁴", "4.46e4"),
        ("−10⁻⁶", "-1e-6"),
        ("0.001 … 10⁹", "0.001 … 1e9"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("101", "101"),
    ],
)
def test_shown_texts_become_plain(shown: str, plain: str) -> None:
    assert plain_text(shown) == plain


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_shown_number_is_read_again_with_its_digits(value: float) -> None:
    assert float(plain_text(number(value, 6))) == pytest.approx(value, rel=1e-5)


@given(st.floats())
def test_a_copied_number_loses_no_digit(value: float) -> None:
    assert np.array_equal(float(copied_number(value)), value, equal_nan=True)


def test_selected_rows_or_all_are_copied_by_the_key(qtbot: QtBot) -> None:
    table = QTableWidget(3, 3)
    qtbot.addWidget(table)
    table.setHorizontalHeaderLabels(["Parameter", "Value", "Hidden"])
    table.horizontalHeaderItem(1).setData(COPY_ROLE, "Value / Pa")
    for row in range(3):
        table.setItem(row, 0, QTableWidgetItem(f"G{row}"))
        item = QTableWidgetItem("1.23×10⁵")
        item.setData(COPY_ROLE, copied_number(123456.789))
        table.setItem(row, 1, item)
    table.setColumnHidden(2, True)
    actions = make_copyable(table)
    table.show()
    table.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard.text().splitlines()[:2] == ["Parameter\tValue / Pa", "G0\t123456.789"]
    assert len(clipboard.text().splitlines()) == 4
    table.selectRow(1)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == "Parameter\tValue / Pa\nG1\t123456.789\n"
    actions[1].trigger()
    assert len(clipboard.text().splitlines()) == 4


def test_parameters_are_copied_with_all_digits_and_their_units(qtbot: QtBot) -> None:
    model = ParameterModel()
    table = ParameterTable(model)
    qtbot.addWidget(table)
    model.set_parameters((Parameter("G0", 12345.6789, (1e-3, 1e9), "Pa"),))
    index = model.index(0, 1)
    assert model.setData(index, "12345.67891234")
    lines = [line.split("\t") for line in table_text(table).splitlines()]
    assert lines[0] == ["Parameter", "Value", "±", "Unit", "Fixed", "Bounds"]
    assert lines[1] == ["G0", "12345.67891234", "", "Pa", "no", "0.001 … 1000000000.0"]


def test_plots_are_copied_as_a_picture_and_as_numbers(qtbot: QtBot) -> None:
    view = pg.PlotWidget()
    qtbot.addWidget(view)
    plot = view.getPlotItem()
    plot.setLogMode(True, True)
    plot.setLabel("bottom", "ω / (rad/s)")
    plot.plot([1.0, 10.0, 100.0], [2.0, 3.0, 4.0], name="G′")
    plot.plot([1.0], [5.5])
    picture, numbers = make_plot_copyable(view)
    numbers.trigger()
    clipboard = QGuiApplication.clipboard()
    lines = [line.split("\t") for line in clipboard.text().splitlines()]
    assert lines[0] == ["ω / (rad/s)", "G′", "ω / (rad/s)", "y"]
    assert lines[1:] == [["1.0", "2.0", "1.0", "5.5"], ["10.0", "3.0", "", ""], ["100.0", "4.0", "", ""]]  # fmt: skip  # noqa: E501
    picture.trigger()
    assert clipboard.image().size() == view.size() * view.devicePixelRatioF()


def test_a_small_plot_has_its_numbers_too(qtbot: QtBot) -> None:
    plot = SmallPlot()
    qtbot.addWidget(plot)
    plot.add(pg.PlotCurveItem([1.0, 2.0], [3.0, 4.0]))
    plot.set_label("bottom", "Draw")
    assert plot_text(plot) == "Draw\ty\n1.0\t3.0\n2.0\t4.0\n"
