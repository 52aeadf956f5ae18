"""`DensityPlot`: a plot of a prior's density and the bounds of its parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QPalette, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from rheojobs.inference.models.parameters import spans_decades
from rheojobs.inference.posterior.densities import density, extent
from rheojobs.qt.widgets.common.colors import alarm, series
from rheojobs.qt.widgets.plots.axes import log_ticks, ticks, tint_axes
from rheojobs.qt.widgets.plots.plot_copying import make_plot_copyable

__all__ = ["DensityPlot"]

_POINTS = 300
_FAR = 20.0
"""Bounds wider than this factor times the prior are left out of the plot."""

type _Prior = tuple[str, Mapping[str, float]]


class DensityPlot(QWidget):
    """The density on a linear axis, or the density of the logarithm on a logarithmic one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[_Prior | None, tuple[float, float], str] = None, (0.0, 1.0), ""
        self.view = pg.PlotWidget(self)
        self.view.setAcceptDrops(False)
        self.view.setAccessibleName(self.tr("Density of the prior"))
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.curve = self.plot.plot([], [])
        make_plot_copyable(self.view)
        self.curve.setFillLevel(0.0)
        self.limits = [pg.InfiniteLine(0.0), pg.InfiniteLine(0.0)]
        for line in self.limits:
            self.plot.addItem(line, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._is_stale = True

    def show_prior(self, prior: _Prior | None, bounds: tuple[float, float], label: str) -> None:
        """Show a prior, or none, with the bounds of its parameter."""
        self._shown = prior, bounds, label
        self._draw_if_seen()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has changed while it was hidden."""
        super().showEvent(event)
        if self._is_stale:
            self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_if_seen()

    def _draw_if_seen(self) -> None:
        self._is_stale = True
        if self.isVisible():
            self._draw()

    def _draw(self) -> None:
        self._is_stale = False
        prior, bounds, label = self._shown
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.Text).name()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        tint_axes(self.plot, palette)
        bottom = self.plot.getAxis("bottom")
        self.plot.getAxis("left").setStyle(showValues=False)
        bottom.setStyle(showValues=prior is not None)
        self.curve.setPen(pg.mkPen(series(palette, 0), width=2))
        self.curve.setBrush(series(palette, 0, 70))
        self.plot.setLabel("bottom", label, color=text)
        is_log = prior is not None and _is_logarithmic(prior[0], bounds)
        bottom.setLogMode(x=is_log)
        # pyqtgraph gives no tick spacing for logarithms between two powers: one function for each.
        bottom.tickStrings = log_ticks if is_log else ticks
        words = self.tr("Density of the logarithm") if is_log else self.tr("Density")
        self.plot.setLabel("left", words, color=text)
        pen = pg.mkPen(alarm(palette), width=1.5, style=Qt.PenStyle.DashLine)
        for line, end in zip(self.limits, bounds, strict=True):
            known = math.isfinite(end) and (end > 0 or not is_log)
            line.setVisible(known and prior is not None)
            line.setPen(pen)
            line.setValue((math.log10(end) if is_log else end) if known else 0.0)
        if prior is None:
            self.curve.setData([], [])
            return
        kind, arguments = prior
        low, high = _range(kind, arguments, bounds, is_log)
        at = np.linspace(low, high, _POINTS)
        # A density that jumps at its ends is drawn with both sides of the jump.
        ends = extent(kind, arguments)
        edges = [math.log10(end) if is_log else end for end in ends if end > 0 or not is_log]
        step = 1e-9 * (high - low)
        at = np.unique([*at, *(edge + sign * step for edge in edges for sign in (-1, 1))])
        at = at[(at >= low) & (at <= high)]
        x = 10.0**at if is_log else at
        values = density(kind, arguments, x) * (x if is_log else 1.0)
        self.curve.setData(at, values)
        self.plot.setXRange(low, high, padding=0.02)
        self.plot.setYRange(0.0, 1.1 * _typical_top(values), padding=0.0)


def _typical_top(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the height of the plot: one point of infinite density must not flatten the rest."""
    top, usual = float(values.max(initial=0.0)), float(np.quantile(values, 0.98))
    return (top if top <= 5 * usual or usual == 0 else 2 * usual) or 1.0


def _is_logarithmic(kind: str, bounds: tuple[float, float]) -> bool:
    lower, upper = bounds
    spans = spans_decades(lower, upper)
    return kind in ("lognormal", "loguniform") or (spans and kind not in ("normal", "beta"))


def _range(
    kind: str, arguments: Mapping[str, float], bounds: tuple[float, float], is_log: bool
) -> tuple[float, float]:
    """Return the range of the plot, as logarithms if the axis is logarithmic."""
    first, last = extent(kind, arguments)
    if is_log:
        seen = [end for end in (first, last, *bounds) if 0 < end < math.inf]
        if first <= 0 < last:
            seen.append(1e-3 * last)
        return math.log10(min(seen)) - 0.2, math.log10(max(seen)) + 0.2
    span = last - first
    if all(math.isfinite(end) for end in bounds) and bounds[1] - bounds[0] < _FAR * span:
        first, last = min(first, bounds[0]), max(last, bounds[1])
    margin = 0.08 * (last - first)
    return first - margin, last + margin
