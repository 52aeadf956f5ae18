"""A scrolling grid of small plots that are made one by one, so that the window never stops.

Knows no results: pages of diagnostics derive from it.
"""

from __future__ import annotations

from functools import partial

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from rheojobs.inference.results import BayesianResult
from rheojobs.qt.widgets.axes import ticks, tint_axes
from rheojobs.qt.widgets.refresh import InSteps

__all__ = ["PlotGrid"]


class PlotGrid(QWidget):
    """Shows a result in a grid of plots; makes them when it is looked at, not before."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.result: BayesianResult | None = None
        self._is_stale = False
        self._steps = InSteps(self)
        self.view = pg.GraphicsLayoutWidget()
        self.view.setAcceptDrops(False)
        self.view.setAccessibleName(name)
        self.explanation = QLabel(self)
        self.explanation.setWordWrap(True)
        self.explanation.setContentsMargins(8, 6, 8, 2)
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
        self.clear()

    @property
    def is_drawn(self) -> bool:
        """Whether all that there is to show is shown."""
        return not self._steps.is_busy and not self._is_stale

    def clear(self) -> None:
        """Show nothing."""
        self.result = None
        self._is_stale = False
        self._steps.cancel()
        self.view.clear()
        self._scroll.hide()
        self.explanation.hide()
        self._hint.show()

    def show_result(self, result: BayesianResult) -> None:
        """Show the draws of a sampling, now or when this page is looked at."""
        self.result = result
        self._is_stale = True
        if self.isVisible():
            self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has changed while nobody looked."""
        super().showEvent(event)
        if self._is_stale:
            self._begin()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.result is not None:
            self.show_result(self.result)

    def cells(self) -> list[tuple[int, int]]:
        """Name the cells that there will be, by row and column."""
        raise NotImplementedError

    def fill(self, plot: pg.PlotItem, row: int, column: int) -> None:
        """Draw what belongs into a cell."""
        raise NotImplementedError

    def least_size(self) -> tuple[int, int]:
        """Give the width and height that the grid needs."""
        raise NotImplementedError

    def _begin(self) -> None:
        self._is_stale = False
        self.view.clear()
        self.view.setBackground(self.palette().color(QPalette.ColorRole.Base))
        self.view.setMinimumSize(*self.least_size())
        self._hint.hide()
        self.explanation.show()
        self._scroll.show()
        steps = []
        for row, column in self.cells():
            steps.append(partial(self._make, row, column))
            steps.append(partial(self._fill, row, column))
        self._steps.begin(steps)

    def _make(self, row: int, column: int) -> None:
        plot = self.view.addPlot(row, column)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        tint_axes(plot, self.palette())
        for side in ("left", "bottom"):
            plot.getAxis(side).tickStrings = ticks

    def _fill(self, row: int, column: int) -> None:
        self.fill(self.view.getItem(row, column), row, column)
