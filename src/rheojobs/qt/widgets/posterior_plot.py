"""The draws of each parameter: their trace, chain by chain, and how they are spread.

They grow while a sampling runs: rows are made once, then only get other data. Knows draws and
`BayesianResult` as data; computes histograms and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from rheojobs.inference.results import BayesianResult
from rheojobs.qt.widgets.colors import muted, series
from rheojobs.qt.widgets.plot_page import PlotPage
from rheojobs.qt.widgets.texts import number, with_unit

__all__ = ["PosteriorPlot"]

_ROW_HEIGHT = 128
_BINS = 60
_MOST_POINTS = 1000
"""Of each chain: what a screen can show."""


@dataclass(eq=False)
class _Row:
    """The two plots of a parameter, and what is drawn in them."""

    trace: pg.PlotItem
    marginal: pg.PlotItem
    curves: list[pg.PlotDataItem] = field(default_factory=list)
    heights: pg.PlotDataItem | None = None
    ends: list[pg.InfiniteLine] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Draws:
    """What is shown: of each parameter, shape (chains, k), at these draws of each chain, (k,)."""

    values: Mapping[str, NDArray[Any]]
    at: NDArray[np.intp]
    units: Mapping[str, str]
    intervals: Mapping[str, tuple[float, float]]

    @property
    def chains(self) -> int:
        return int(next(iter(self.values.values())).shape[0])


class PosteriorPlot(PlotPage):
    """Traces and marginals, one row per parameter; scrolls where there are many."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.view.setAccessibleName(self.tr("Draws of each parameter"))
        self._draws: _Draws | None = None
        self._rows: dict[str, _Row] = {}
        self._names: list[str] = []
        self._chains = 0
        self.clear()

    @property
    def is_drawn(self) -> bool:
        """Whether all that there is to show is shown."""
        return not self.steps.is_busy

    def clear(self) -> None:
        """Show nothing."""
        self._draws = None
        self._forget_rows()
        self.show_plots(False)

    def show_traces(
        self, traces: Mapping[str, NDArray[Any]], at: NDArray[np.intp], units: Mapping[str, str]
    ) -> None:
        """Show the draws of a sampling that is under way.

        Parameters
        ----------
        traces : mapping of str to ndarray, shape (chains, k)
            Some of the draws.
        at : ndarray of int, shape (k,)
            Which.
        units : mapping
            Of the parameters, as far as they are known.
        """
        self._show(_Draws(traces, at, units, {}))

    def show_posterior(self, result: BayesianResult) -> None:
        """Show the draws of a sampling."""
        count = result.num_samples
        at = np.unique(np.linspace(0, count - 1, min(count, _MOST_POINTS)).round().astype(np.intp))
        chains = result.num_chains
        values = {
            name: draws.reshape(chains, -1)[:, at]
            for name, draws in result.posterior_samples.items()
        }
        self._show(_Draws(values, at, result.units, result.credible_intervals or {}))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._draws is not None:
            self._forget_rows()
            self._show(self._draws)

    def _show(self, draws: _Draws) -> None:
        self._draws = draws
        self.show_plots(True)
        names = list(draws.values)
        if self._names != names or self._chains != draws.chains:
            self._make_rows(names, draws.chains)
        elif len(self._rows) == len(names):
            self.steps.begin([partial(self._fill, name) for name in names])
        else:  # those that are being made take the newest by themselves
            for name in self._rows:
                self.steps.add(partial(self._fill, name))

    # ---------------------------------------------------------------- rows, made once

    def _forget_rows(self) -> None:
        self.empty()
        self._rows, self._names, self._chains = {}, [], 0

    def _make_rows(self, names: list[str], chains: int) -> None:
        self._forget_rows()
        self._names, self._chains = names, chains
        self.view.setMinimumHeight(_ROW_HEIGHT * len(names) + 30)
        layout = self.view.ci.layout
        layout.setColumnStretchFactor(0, 3)
        layout.setColumnStretchFactor(1, 2)
        self.steps.begin(
            [
                step
                for row, name in enumerate(names)
                for step in (
                    partial(self.make_plot, row, 0),
                    partial(self.make_plot, row, 1),
                    partial(self._make_row, row, name, row == len(names) - 1),
                )
            ]
        )

    def _make_row(self, number_of_row: int, name: str, is_last: bool) -> None:
        palette = self.palette()
        color = palette.color(QPalette.ColorRole.Text).name()
        trace, marginal = (self.view.getItem(number_of_row, column) for column in (0, 1))
        trace.getAxis("left").setWidth(76)
        marginal.hideAxis("left")
        if is_last:
            trace.setLabel("bottom", self.tr("Draw"), color=color)
        row = _Row(trace, marginal)
        for chain in range(self._chains):
            pen = pg.mkPen(series(palette, chain, 190), width=1)
            row.curves.append(trace.plot([], [], pen=pen))
        self._rows[name] = row
        self._fill(name)

    # ---------------------------------------------------------------- what is in them

    def _fill(self, name: str) -> None:
        """Give the items of a parameter the newest data."""
        draws = self._draws
        if draws is None or name not in draws.values:
            return
        row, values = self._rows[name], draws.values[name]
        text = self.palette().color(QPalette.ColorRole.Text).name()
        label = with_unit(name, draws.units.get(name, ""))
        row.trace.setTitle(label, color=text, size="9pt", justify="left")
        for curve, chain in zip(row.curves, values, strict=True):
            curve.setData(draws.at, chain)
        self._fill_marginal(row, values)
        interval = draws.intervals.get(name)
        title = ""
        if interval is not None:
            low, high = (number(end, 3) for end in interval)
            title = self.tr("95 %: {low} … {high}").format(low=low, high=high)
        row.marginal.setTitle(title, color=text, size="9pt", justify="left")
        for line in row.ends:
            row.marginal.removeItem(line)
        pen = pg.mkPen(muted(self.palette()), style=Qt.PenStyle.DashLine)
        row.ends = [pg.InfiniteLine(end, pen=pen) for end in interval or ()]
        for line in row.ends:
            row.marginal.addItem(line)

    def _fill_marginal(self, row: _Row, values: NDArray[Any]) -> None:
        heights, edges = np.histogram(values, bins=min(_BINS, 8 + values.size // 40), density=True)
        if row.heights is None:
            fill, pen = series(self.palette(), 0, 90), series(self.palette(), 0)
            row.heights = row.marginal.plot(
                edges, heights, stepMode="center", fillLevel=0.0, brush=fill, pen=pen
            )
        else:
            row.heights.setData(edges, heights)
