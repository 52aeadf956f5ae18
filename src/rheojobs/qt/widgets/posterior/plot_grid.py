"""`PlotGrid`: the base of pages with a grid of small plots of a posterior."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QEvent
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QWidget

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.qt.widgets.plots.plot_page import PlotPage
from rheojobs.qt.widgets.plots.small_plot import SmallPlot

__all__ = ["PlotGrid"]


class PlotGrid(PlotPage):
    """Shows a result in a grid of plots, which are made when the page is first shown.

    Attributes
    ----------
    plots : dict
        The plots made so far, by row and column.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.plots: dict[tuple[int, int], SmallPlot] = {}
        self.result: BayesianResult | None = None
        self._is_stale = False
        self.clear()

    @property
    def is_drawn(self) -> bool:
        """Whether everything is shown."""
        return not self.steps.is_busy and not self._is_stale

    def clear(self) -> None:
        """Show nothing."""
        self.result = None
        self._is_stale = False
        self._empty()
        self.explanation.hide()
        self.show_plots(False)

    def show_result(self, result: BayesianResult) -> None:
        """Show the draws of a sampling, now or when this page is shown."""
        self.result = result
        self._is_stale = True
        if self.isVisible():
            self._begin()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has changed while the page was hidden."""
        super().showEvent(event)
        if self._is_stale:
            self._begin()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.result is not None:
            self.show_result(self.result)

    def cells(self) -> list[tuple[int, int]]:
        """Return the cells of the grid, by row and column."""
        raise NotImplementedError

    def fill(self, plot: SmallPlot, row: int, column: int) -> None:
        """Draw the contents of a cell."""
        raise NotImplementedError

    def least_size(self) -> tuple[int, int]:
        """Return the width and height that the grid needs."""
        raise NotImplementedError

    def arrange(self) -> None:
        """Set the sizes of rows and columns."""

    def _begin(self) -> None:
        self._is_stale = False
        self._empty()
        self.view.setMinimumSize(*self.least_size())
        self.arrange()
        self.explanation.show()
        self.show_plots(True)
        self.steps.begin(
            [
                partial(step, row, column)
                for row, column in self.cells()
                for step in (self._make, self._fill)
            ]
        )

    def _empty(self) -> None:
        self.steps.cancel()
        for plot in self.plots.values():
            self.drop(plot)
        self.plots = {}
        for row in range(self.grid.rowCount()):
            self.grid.setRowStretch(row, 0)
        for column in range(self.grid.columnCount()):
            self.grid.setColumnStretch(column, 0)

    def _make(self, row: int, column: int) -> None:
        plot = self.plots[row, column] = SmallPlot(self.view)
        self.put(plot, row, column)

    def _fill(self, row: int, column: int) -> None:
        plot = self.plots[row, column]
        self.fill(plot, row, column)
        plot.show()
