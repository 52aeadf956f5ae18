"""`PairsPlot`: the draws of each pair of parameters, with the divergent draws marked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtWidgets import QWidget

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.results.bands import diverging
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.qt.widgets.common.colors import alarm, series
from rheojobs.qt.widgets.common.texts import divergences_text, with_unit
from rheojobs.qt.widgets.plots.small_plot import SmallPlot
from rheojobs.qt.widgets.posterior.plot_grid import PlotGrid

__all__ = ["PairsPlot"]

_MOST_POINTS = 800
_MOST_DIVERGENT = 300
_BINS = 40
_WIDTH, _HEIGHT = 122, 96
_WIDE_AXIS, _NARROW_AXIS, _LOW_AXIS = 84, 8, 34


class PairsPlot(PlotGrid):
    """The lower triangle of all pairs, with histograms of the parameters on the diagonal."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Pairs of parameters"), parent)
        self._names: list[str] = []
        self._draws: dict[str, NDArray[np.float64]] = {}
        self._divergent: dict[str, NDArray[np.float64]] = {}

    def show_result(self, result: BayesianResult) -> None:
        """Show the draws of a sampling."""
        self._names = list(result.posterior_samples)
        flags = diverging(result)
        good, bad = np.flatnonzero(~flags), np.flatnonzero(flags)
        picked = good[evenly(good.size, _MOST_POINTS)]
        bad = bad[evenly(bad.size, _MOST_DIVERGENT)]
        samples = result.posterior_samples
        self._draws = {name: draws[picked] for name, draws in samples.items()}
        self._divergent = {name: draws[bad] for name, draws in samples.items()}
        count = int(flags.sum())
        if count:
            words = self.tr(
                "{divergences}, marked ×: where they cluster, the sampler cannot reach a part of "
                "the posterior."
            ).format(divergences=divergences_text(count))
        else:
            words = self.tr(
                "No divergences. A narrow band means that two parameters are strongly correlated."
            )
        self.explanation.setText(words)
        super().show_result(result)

    def cells(self) -> list[tuple[int, int]]:
        """Return the cells of the lower triangle."""
        return [(row, column) for row in range(len(self._names)) for column in range(row + 1)]

    def least_size(self) -> tuple[int, int]:
        """Return the size at which the points can be distinguished."""
        count = len(self._names)
        return _WIDTH * count + _WIDE_AXIS, _HEIGHT * count + 40

    def arrange(self) -> None:
        """Give all data areas the same size: only the edges of the triangle have axes."""
        last = len(self._names) - 1
        for number in range(last + 1):
            self.grid.setColumnStretch(number, _WIDTH + (number == 0) * (_WIDE_AXIS - _NARROW_AXIS))
            self.grid.setRowStretch(number, _HEIGHT + (number == last) * _LOW_AXIS)

    def fill(self, plot: SmallPlot, row: int, column: int) -> None:
        """Draw a pair, or a histogram on the diagonal."""
        x, y = self._names[column], self._names[row]
        palette = self.palette()
        if row == column:
            heights, edges = np.histogram(self._draws[x], bins=_BINS)
            brush, pen = series(palette, 0, 90), series(palette, 0)
            spread = {"stepMode": "center", "fillLevel": 0.0, "brush": brush, "pen": pen}
            plot.add(pg.PlotDataItem(edges, heights, **spread))
            plot.getAxis("left").setStyle(showValues=False)
        else:
            brush = series(palette, 0, 90)
            plot.add(
                pg.ScatterPlotItem(self._draws[x], self._draws[y], size=3, pen=None, brush=brush)
            )
            plot.add(
                pg.ScatterPlotItem(
                    self._divergent[x],
                    self._divergent[y],
                    size=8,
                    symbol="x",
                    pen=pg.mkPen(alarm(palette), width=1.5),
                    brush=None,
                )
            )
        self._label(plot, row, column)

    def _label(self, plot: SmallPlot, row: int, column: int) -> None:
        """Write names only at the edges of the triangle."""
        assert self.result is not None
        units = self.result.units
        style = {"font-size": "8pt"}
        left, bottom = plot.getAxis("left"), plot.getAxis("bottom")
        left.setWidth(_WIDE_AXIS if column == 0 else _NARROW_AXIS)
        if column == 0:
            plot.set_label("left", _named(self._names[row], units), **style)
        else:
            left.setStyle(showValues=False)
        if row == len(self._names) - 1:
            plot.set_label("bottom", _named(self._names[column], units), **style)
            bottom.setStyle(maxTickLevel=0, textFillLimits=[(0, 0.7)])
        else:
            bottom.setStyle(showValues=False)
            bottom.setHeight(_NARROW_AXIS)


def _named(name: str, units: Mapping[str, str]) -> str:
    return with_unit(parameter_symbol(name), units.get(name, ""))
