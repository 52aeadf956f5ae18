"""Traces and histograms of the draws of each parameter, which grow while a sampling runs.

Rows are made once; then they only get new data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QWidget

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.qt.widgets.common.colors import muted, series
from rheojobs.qt.widgets.common.texts import number, with_unit
from rheojobs.qt.widgets.plots.plot_page import PlotPage
from rheojobs.qt.widgets.plots.small_plot import SmallPlot

__all__ = ["PosteriorPlot", "SpreadPlot", "TracePlot"]

_ROW_HEIGHT = 128
_BINS = 60
_MOST_POINTS = 1000
"""Most draws of each chain: a screen shows no more."""


class TracePlot(SmallPlot):
    """The draws of one parameter, a line for each chain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.getAxis("left").setWidth(76)

    def draw_chains(self, at: NDArray[np.intp], chains: NDArray[Any]) -> None:
        """Show new draws, of shape (chains, k); `at` are their positions in each chain."""
        while len(self.items) > len(chains):
            self.remove(self.items[-1])
        while len(self.items) < len(chains):
            pen = pg.mkPen(series(self.palette(), len(self.items), 190), width=1)
            self.add(pg.PlotDataItem(pen=pen))
        for item, chain in zip(self.items, chains, strict=True):
            item.setData(at, chain)


class SpreadPlot(SmallPlot):
    """A histogram of the draws of one parameter, with the ends of an interval."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.getAxis("left").hide()
        fill, pen = series(self.palette(), 0, 90), series(self.palette(), 0)
        self._heights = pg.PlotDataItem(
            [0.0, 1.0], [0.0], stepMode="center", fillLevel=0.0, brush=fill, pen=pen
        )
        self.add(self._heights)

    def draw_spread(self, values: NDArray[Any], ends: Sequence[float]) -> None:
        """Show new draws, and an interval if there is one."""
        heights, edges = np.histogram(values, bins=min(_BINS, 8 + values.size // 40), density=True)
        self._heights.setData(edges, heights)
        for line in self.items[1:]:
            self.remove(line)
        pen = pg.mkPen(muted(self.palette()), style=Qt.PenStyle.DashLine)
        for end in ends:
            self.add(pg.InfiniteLine(end, pen=pen))


@dataclass(frozen=True, eq=False)
class _Draws:
    """The draws shown: shape (chains, k) for each parameter, at positions of shape (k,)."""

    values: Mapping[str, NDArray[Any]]
    at: NDArray[np.intp]
    units: Mapping[str, str]
    intervals: Mapping[str, tuple[float, float]]


class PosteriorPlot(PlotPage):
    """Traces and marginals, one row per parameter; scrolls if there are many.

    Attributes
    ----------
    traces, spreads : list
        The plots, by row; some may be hidden.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Draws of each parameter"), parent)
        self.grid.setColumnStretch(0, 3)
        self.grid.setColumnStretch(1, 2)
        self.traces: list[TracePlot] = []
        self.spreads: list[SpreadPlot] = []
        self._draws: _Draws | None = None
        self._names: list[str] = []
        self._ahead = 0
        self.clear()

    @property
    def is_drawn(self) -> bool:
        """Whether everything is shown."""
        return not self.steps.is_busy

    def clear(self) -> None:
        """Show nothing; keep the plots for other draws."""
        self._draws, self._names = None, []
        self.show_plots(False)
        self.steps.begin(self._making(self._ahead))

    def prepare(self, count: int) -> None:
        """Make the plots for this number of parameters before there are draws."""
        self._ahead = count
        if self._draws is None:
            self.steps.begin(self._making(count))

    def show_traces(
        self, traces: Mapping[str, NDArray[Any]], at: NDArray[np.intp], units: Mapping[str, str]
    ) -> None:
        """Show the draws of a running sampling.

        Parameters
        ----------
        traces : mapping of str to ndarray, shape (chains, k)
            Thinned draws.
        at : ndarray of int, shape (k,)
            Their positions in each chain.
        units : mapping
            Units of the parameters, if known.
        """
        self._show(_Draws(traces, at, units, {}))

    def show_posterior(self, result: BayesianResult) -> None:
        """Show the draws of a sampling."""
        count = result.num_samples
        at = evenly(count, _MOST_POINTS)
        chains = result.num_chains
        values = {
            name: draws.reshape(chains, -1)[:, at]
            for name, draws in result.posterior_samples.items()
        }
        self._show(_Draws(values, at, result.units, result.credible_intervals or {}))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette, with plots that are made again."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.steps.cancel()
            for plot in (*self.traces, *self.spreads):
                self.drop(plot)
            self.traces, self.spreads, self._names = [], [], []
            if self._draws is not None:
                self._show(self._draws)

    def _show(self, draws: _Draws) -> None:
        self._draws = draws
        names = list(draws.values)
        if names != self._names:
            self._names = names
            self._make_room(len(names))
        steps = self._making(len(names))
        steps.append(partial(self.show_plots, True))
        for row in range(len(names)):
            steps += [partial(self._fill_trace, row), partial(self._fill_spread, row)]
        self.steps.begin(steps)

    def _make_room(self, count: int) -> None:
        """Give this number of rows the same size, and hide their plots until they are filled."""
        self.view.setMinimumHeight(_ROW_HEIGHT * count + 30)
        for row in range(max(count, len(self.traces))):
            self.grid.setRowStretch(row, 1 if row < count else 0)
        for plots in (self.traces, self.spreads):
            for row, plot in enumerate(plots):
                plot.hide()
                self.keep_room(plot, row < count)

    # ---------------------------------------------------------------- the steps

    def _making(self, count: int) -> list[Callable[[], None]]:
        """Return the steps that make the missing plots for this number of parameters."""
        return [
            *[self._make_trace] * (count - len(self.traces)),
            *[self._make_spread] * (count - len(self.spreads)),
        ]

    def _make_trace(self) -> None:
        plot = TracePlot(self.view)
        self.put(plot, len(self.traces), 0)
        self.traces.append(plot)

    def _make_spread(self) -> None:
        plot = SpreadPlot(self.view)
        self.put(plot, len(self.spreads), 1)
        self.spreads.append(plot)

    def _fill_trace(self, row: int) -> None:
        draws, name, plot = self._draws, self._names[row], self.traces[row]
        assert draws is not None
        plot.set_title(with_unit(parameter_symbol(name), draws.units.get(name, "")))
        plot.set_label("bottom", self.tr("Draw") if row == len(self._names) - 1 else "")
        plot.draw_chains(draws.at, draws.values[name])
        plot.show()

    def _fill_spread(self, row: int) -> None:
        draws, name, plot = self._draws, self._names[row], self.spreads[row]
        assert draws is not None
        interval = draws.intervals.get(name, ())
        title = ""
        if interval:
            low, high = (number(end, 3, trim=False) for end in interval)
            title = self.tr("95 %: {low} … {high}").format(low=low, high=high)
        plot.set_title(title)
        plot.draw_spread(draws.values[name], interval)
        plot.show()
