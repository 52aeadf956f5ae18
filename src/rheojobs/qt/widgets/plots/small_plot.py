"""`SmallPlot`: a plot for pages of many plots, much cheaper to make and paint than pyqtgraph's.

`PlotItem` has four axes and menus of some forty widgets. `SmallPlot` has two axes and a title,
and makes its menu on demand. It is a view of its own, so that a change repaints no neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget

from rheojobs.qt.widgets.plots.axes import ticks, tint_axes
from rheojobs.qt.widgets.plots.plot_copying import copy_plot_actions

__all__ = ["SmallPlot"]

_TITLE_HEIGHT = 22
_AXES = (("left", (1, 0)), ("bottom", (2, 1)))


class _Box(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph ships no types
    """Makes its menu at the first click that opens it."""

    actions: Sequence[QAction] = ()

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton and not self.menuEnabled():
            self.setMenuEnabled(True)
            menu: Any = self.menu
            menu.insertActions(menu.actions()[0], self.actions)
        super().mouseClickEvent(event)


class SmallPlot(QWidget):
    """One plot, in the colours of the palette when it was made.

    Attributes
    ----------
    view : GraphicsView
        The view that paints it.
    box : ViewBox
        The area between the axes.
    items : list
        The items drawn.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: list[pg.GraphicsObject] = []
        self._labels: dict[str, str] = {}
        self.view = view = pg.GraphicsView(self)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it has no use for keys
        view.setAcceptDrops(False)  # files are for the window
        view.setBackground(self.palette().color(QPalette.ColorRole.Base))
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(view)
        self._layout = layout = view.centralLayout
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(0)
        self.box = _Box(enableMenu=False)
        self.box.actions = copy_plot_actions(self, self)
        layout.addItem(self.box, 1, 1)
        self._axes: dict[str, pg.AxisItem] = {}
        for side, place in _AXES:
            axis = pg.AxisItem(side)
            axis.linkToView(self.box)
            axis.setZValue(0.5)
            axis.tickStrings = ticks
            layout.addItem(axis, *place)
            self._axes[side] = axis
        tint_axes(self, self.palette())
        self._title: pg.LabelItem | None = None  # it takes its space even if it is empty
        layout.setRowStretchFactor(1, 1)
        layout.setColumnStretchFactor(1, 1)

    def getAxis(self, side: str) -> pg.AxisItem:
        """Return the left or the bottom axis, named as in pyqtgraph's plots."""
        return self._axes[side]

    def set_title(self, text: str) -> None:
        """Write a title; if it is empty, its space is kept."""
        if self._title is None:
            self._title = pg.LabelItem(text, size="9pt", justify="left", color=self._text_color())
            self._layout.addItem(self._title, 0, 1)
            self._layout.setRowFixedHeight(0, _TITLE_HEIGHT)
        elif self._title.text != text:
            self._title.setText(text)

    def set_label(self, side: str, text: str, **style: str) -> None:
        """Write the label of an axis."""
        if self._labels.get(side, "") != text:
            self._labels[side] = text
            self._axes[side].setLabel(text or None, color=self._text_color(), **style)

    def set_y_range(self, low: float, high: float) -> None:
        """Show these values, whatever is drawn."""
        self.box.setYRange(low, high)

    def add(self, item: pg.GraphicsObject) -> None:
        """Add an item."""
        self.box.addItem(item)
        self.items.append(item)

    def remove(self, item: pg.GraphicsObject) -> None:
        """Remove an item."""
        self.box.removeItem(item)
        self.items.remove(item)

    def _text_color(self) -> str:
        return self.palette().color(QPalette.ColorRole.Text).name()
