"""A page of plots that scrolls, and says how to get something to see while there is nothing.

Knows no results: what shows a posterior derives from it.
"""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from rheojobs.qt.widgets.axes import ticks, tint_axes
from rheojobs.qt.widgets.refresh import InSteps

__all__ = ["PlotPage"]


class PlotPage(QWidget):
    """A layout of plots that are made one by one, so that the window never stops.

    Attributes
    ----------
    view : GraphicsLayoutWidget
        Where the plots are.
    steps : InSteps
        In which they are made.
    explanation : QLabel
        Above them; hidden where nobody shows it.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps = InSteps(self)
        self.view = pg.GraphicsLayoutWidget()
        self.view.setAcceptDrops(False)
        self.view.setAccessibleName(name)
        self.explanation = QLabel(self)
        self.explanation.setWordWrap(True)
        self.explanation.setContentsMargins(8, 6, 8, 2)
        self.explanation.hide()
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(self.view)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._hint = QLabel(self.tr("Sample a model to see its posterior (Ctrl+B)"), self)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAutoFillBackground(True)
        self._hint.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._hint)
        layout.addWidget(self.explanation)
        layout.addWidget(self._scroll, 1)

    def empty(self) -> None:
        """Take all plots away, and make no more."""
        self.steps.cancel()
        self.view.clear()
        self.view.setBackground(self.palette().color(QPalette.ColorRole.Base))

    def show_plots(self, are_there: bool) -> None:
        """Show the plots, or what to do to get some."""
        self._hint.setVisible(not are_there)
        self._scroll.setVisible(are_there)

    def make_plot(self, row: int, column: int) -> pg.PlotItem:
        """Add a plot; a step of its own, as it takes some milliseconds."""
        plot = self.view.addPlot(row, column)
        plot.hideButtons()
        tint_axes(plot, self.palette())
        for side in ("left", "bottom"):
            plot.getAxis(side).tickStrings = ticks
        return plot
