"""The draws of each parameter: their trace, chain by chain, and how they are spread.

Knows `BayesianResult` as data; computes histograms and nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from rheojobs.inference.results import BayesianResult
from rheojobs.qt.widgets.colors import muted, series
from rheojobs.qt.widgets.texts import number, with_unit

__all__ = ["PosteriorPlot"]

_ROW_HEIGHT = 128
_BINS = 60


def _ticks(values: Sequence[float], scale: float, spacing: float) -> list[str]:
    """Write ticks with as many decimals as tell them apart, large and small ones as powers."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest != 0.0 and not 1e-2 <= largest < 1e5:
        return [number(value, 3) for value in values]
    decimals = max(0, math.ceil(-math.log10(spacing)))
    return [f"{value:.{decimals}f}".replace("-", "−") for value in values]


class PosteriorPlot(QWidget):
    """Traces and marginals, one row per parameter; scrolls where there are many."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: BayesianResult | None = None
        self.view = pg.GraphicsLayoutWidget()
        self.view.setAcceptDrops(False)  # files are for the window
        self.view.setAccessibleName(self.tr("Traces and marginals of the posterior"))
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
        layout.addWidget(self._scroll)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self._result = None
        self.view.clear()
        self._scroll.hide()
        self._hint.show()

    def show_posterior(self, result: BayesianResult) -> None:
        """Show the draws of a sampling."""
        self._result = result
        self._hint.hide()
        self._scroll.show()
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._result is not None:
            self._draw()

    def _draw(self) -> None:
        assert self._result is not None
        self.view.clear()
        self.view.setBackground(self.palette().color(QPalette.ColorRole.Base))
        names = list(self._result.posterior_samples)
        self.view.setMinimumHeight(_ROW_HEIGHT * len(names) + 30)
        for row, name in enumerate(names):
            self._draw_row(row, name, row == len(names) - 1)
        layout = self.view.ci.layout
        layout.setColumnStretchFactor(0, 3)
        layout.setColumnStretchFactor(1, 2)

    def _draw_row(self, row: int, name: str, is_last: bool) -> None:
        result, palette = self._result, self.palette()
        assert result is not None
        values = result.posterior_samples[name]
        trace, marginal = self.view.addPlot(row, 0), self.view.addPlot(row, 1)
        label = with_unit(name, result.units.get(name, ""))
        for plot in (trace, marginal):
            plot.hideButtons()
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(muted(palette))
                axis.setTextPen(palette.color(QPalette.ColorRole.Text))
                axis.enableAutoSIPrefix(False)
                axis.tickStrings = _ticks
        color = palette.color(QPalette.ColorRole.Text).name()
        trace.setTitle(label, color=color, size="9pt", justify="left")
        trace.getAxis("left").setWidth(76)
        for chain, draws in enumerate(values.reshape(result.num_chains, -1)):
            curve = trace.plot(draws, pen=pg.mkPen(series(palette, chain, 190), width=1))
            curve.setDownsampling(auto=True, method="peak")
        interval = (result.credible_intervals or {}).get(name)
        title = ""
        if interval is not None:
            low, high = (number(end, 3) for end in interval)
            title = self.tr("95 %: {low} … {high}").format(low=low, high=high)
        marginal.setTitle(title, color=color, size="9pt", justify="left")
        marginal.hideAxis("left")
        heights, edges = np.histogram(values, bins=_BINS, density=True)
        fill = series(palette, 0, 90)
        marginal.plot(
            edges, heights, stepMode="center", fillLevel=0.0, brush=fill, pen=series(palette, 0)
        )
        for end in interval or ():
            pen = pg.mkPen(muted(palette), style=Qt.PenStyle.DashLine)
            marginal.addItem(pg.InfiniteLine(end, pen=pen))
        if is_last:
            trace.setLabel("bottom", self.tr("Draw"), color=color)
