"""Copies plots: as a picture by Ctrl+C, and their numbers for a spreadsheet by the context menu."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import QCoreApplication, Qt
from qtpy.QtGui import QAction, QGuiApplication, QKeySequence
from qtpy.QtWidgets import QWidget

from rheojobs.qt.widgets.common.copying import copied_number, copy_text, plain_text

__all__ = ["copy_picture_action", "copy_plot_actions", "make_plot_copyable", "plot_text"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("copying", text)


def make_plot_copyable(view: pg.PlotWidget) -> list[QAction]:
    """Let Ctrl+C copy a plot as a picture, and offer that and its numbers in its context menu."""
    plot = view.getPlotItem()
    actions = copy_plot_actions(view, plot)
    actions[0].setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
    actions[0].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    actions[0].setShortcutVisibleInContextMenu(True)
    view.addActions(actions)
    menu = plot.getViewBox().menu
    if menu is None or not plot.getViewBox().menuEnabled():
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
    else:
        menu.insertActions(menu.actions()[0] if menu.actions() else None, actions)
    return actions


def copy_plot_actions(widget: QWidget, plot: Any) -> list[QAction]:
    """Return the actions that copy a plot as a picture, and its numbers.

    Parameters
    ----------
    widget : QWidget
        Shows the plot.
    plot : PlotItem or SmallPlot
        Has the items and the axes.
    """
    numbers = QAction(_tr("Copy the &numbers"), widget)

    def put() -> None:
        copy_text(plot_text(plot))

    numbers.triggered.connect(put)
    return [copy_picture_action(widget), numbers]


def copy_picture_action(widget: QWidget) -> QAction:
    """Return an action that copies a widget as a picture."""

    def put() -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setPixmap(widget.grab())

    picture = QAction(_tr("&Copy the picture"), widget)
    picture.triggered.connect(put)
    return picture


def plot_text(plot: Any) -> str:
    """Return the numbers of the points and curves of a plot, two columns for each, as drawn."""
    x_label, y_label = (plot.getAxis(side).labelText for side in ("bottom", "left"))
    legend = getattr(plot, "legend", None)
    names = {} if legend is None else {id(key.item): label.text for key, label in legend.items}
    heads: list[str] = []
    columns: list[list[str]] = []
    for item in plot.items:
        x, y = _points(item)
        if x is None or y is None or len(x) == 0 or len(x) != len(y):
            continue
        name = names.get(id(item)) or item.name()
        heads += [plain_text(x_label or "x"), plain_text(name or y_label or "y")]
        columns += [[copied_number(value) for value in values] for values in (x, y)]
    lines = [heads, *map(list, zip_longest(*columns, fillvalue=""))]
    return "".join("\t".join(line) + "\n" for line in lines)


def _points(item: Any) -> tuple[Any, Any]:
    """Return x and y of an item, not in logarithms; (None, None) if it has no points."""
    if isinstance(item, pg.PlotDataItem):
        x, y = item.getOriginalDataset()
        return x, y
    if isinstance(item, pg.PlotCurveItem | pg.ScatterPlotItem):
        x, y = item.getData()
        return x, y
    return None, None
