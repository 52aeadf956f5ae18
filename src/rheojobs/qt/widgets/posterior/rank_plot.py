"""`RankPlot`: the ranks of each chain's draws among all draws; uniform if the chains agree.

Vehtari et al., Bayesian Analysis 16 (2021) 667-718.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.qt.widgets.common.colors import muted, series
from rheojobs.qt.widgets.plots.small_plot import SmallPlot
from rheojobs.qt.widgets.posterior.plot_grid import PlotGrid

__all__ = ["RankPlot", "rank_heights"]

_COLUMNS = 2
_HEIGHT = 150
_BINS = 20
_MOST_DRAWS = 4000
"""Most draws of each chain: the ranks of more add nothing."""


def rank_heights(draws: NDArray[np.float64], bins: int = _BINS) -> NDArray[np.float64]:
    """Count the ranks of each chain in equal bins, relative to chains that agree.

    Parameters
    ----------
    draws : ndarray, shape (chains, n)

    Returns
    -------
    ndarray, shape (chains, bins)
    """
    chains, count = draws.shape
    ranks = np.empty(draws.size, dtype=np.int64)
    ranks[np.argsort(draws, axis=None, kind="stable")] = np.arange(draws.size)
    bin_of = ranks.reshape(chains, count) * bins // draws.size
    counts = np.stack([np.bincount(row, minlength=bins) for row in bin_of])
    return np.asarray(counts * (bins / count))


class RankPlot(PlotGrid):
    """One plot for each parameter, with a line for each chain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Ranks of each chain"), parent)
        self._names: list[str] = []
        self.explanation.setText(
            self.tr(
                "How often each chain's draws have each rank among all draws, relative to chains "
                "that agree (1). A line that rises or falls shows a chain that disagrees."
            )
        )

    def show_result(self, result: BayesianResult) -> None:
        """Show the draws of a sampling."""
        self._names = list(result.posterior_samples)
        super().show_result(result)

    def cells(self) -> list[tuple[int, int]]:
        """Return the cells, two in a row."""
        return [divmod(number, _COLUMNS) for number in range(len(self._names))]

    def least_size(self) -> tuple[int, int]:
        """Return the size at which the lines can be distinguished."""
        return 420, _HEIGHT * -(-len(self._names) // _COLUMNS) + 20

    def arrange(self) -> None:
        """Give all plots the same size."""
        for column in range(_COLUMNS):
            self.grid.setColumnStretch(column, 1)
        for row, _ in self.cells():
            self.grid.setRowStretch(row, 1)

    def fill(self, plot: SmallPlot, row: int, column: int) -> None:
        """Draw the lines of a parameter."""
        assert self.result is not None
        name = self._names[row * _COLUMNS + column]
        palette = self.palette()
        draws = self.result.posterior_samples[name].reshape(self.result.num_chains, -1)
        heights = rank_heights(draws[:, :: -(-draws.shape[1] // _MOST_DRAWS)])
        edges = np.linspace(0.0, 100.0, heights.shape[1] + 1)
        plot.set_title(parameter_symbol(name))
        plot.set_label("left", self.tr("Share"))
        plot.set_label("bottom", self.tr("Rank / %"))
        plot.set_y_range(0.0, max(2.0, float(heights.max())))
        one = pg.mkPen(muted(palette), style=Qt.PenStyle.DashLine)
        plot.add(pg.InfiniteLine(1.0, angle=0, pen=one))
        for chain, line in enumerate(heights):
            pen = pg.mkPen(series(palette, chain), width=1.5)
            plot.add(pg.PlotDataItem(edges, line, stepMode="center", pen=pen))
