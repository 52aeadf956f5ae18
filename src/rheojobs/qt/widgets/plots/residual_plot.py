"""`ResidualPlot`: the residuals of a fit below its data; runs of one sign can be seen.

Its items are made once for a palette; while a fit runs they only get new data.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.results.residuals import Residuals
from rheojobs.qt.widgets.common.colors import muted, series
from rheojobs.qt.widgets.common.texts import with_unit
from rheojobs.qt.widgets.plots.axes import log_ticks, ticks, tint_axes

__all__ = ["ResidualPlot"]

_MOST_POINTS = 1500
"""Most points of each component, evenly chosen, as in the plot of the data."""

_MANY = 300
_ROOM = 1.15
"""Range of the axis, in units of the largest residual."""


class ResidualPlot(QWidget):
    """Two components at most, in the colours and symbols of the data; a thin line joins each."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._residuals: Residuals | None = None
        self._is_log = True
        self._x_label = ""
        self.view = pg.PlotWidget(self)
        self.view.setAcceptDrops(False)
        self.view.setAccessibleName(self.tr("Residuals of the fit"))
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.layout.setContentsMargins(6, 2, 14, 4)
        self.plot.enableAutoRange(y=False)
        self._zero = pg.InfiniteLine(0.0, angle=0)
        self.plot.addItem(self._zero, ignoreBounds=True)
        self.items = [self.plot.plot([], []) for _ in range(2)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._tint()

    @property
    def residuals(self) -> Residuals | None:
        """The residuals that are shown."""
        return self._residuals

    def set_x(self, label: str, is_log: bool, above: pg.PlotItem | None) -> None:
        """Show x as `label` on an axis of this kind.

        Parameters
        ----------
        label : str
            With its unit.
        is_log : bool
            Whether the axis is logarithmic.
        above : PlotItem or None
            The plot whose range of x this one follows; None if its x is another quantity.
        """
        self._x_label, self._is_log = label, is_log
        self.plot.setLogMode(is_log, False)
        self.plot.setXLink(above)
        if above is None:
            self.plot.enableAutoRange(x=True)
        self._name_axes()
        self.show_residuals(self._residuals)

    def show_residuals(self, residuals: Residuals | None) -> None:
        """Show residuals, or none."""
        self._residuals = residuals
        parts = () if residuals is None else residuals.parts
        for index, item in enumerate(self.items):
            if residuals is not None and index < len(parts):
                x, y = self._shown(residuals.x, parts[index])
                item.setSymbolSize(3 if x.size > _MANY else 6)
                item.setData(x, y, connect="finite")
            else:
                item.setData([], [])
        reach = 0.0 if residuals is None else _ROOM * residuals.reach
        self.plot.setYRange(-(reach or 1.0), reach or 1.0, padding=0)
        self.plot.getAxis("left").setStyle(showValues=reach > 0)
        self._name_axes()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _shown(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        kept = np.flatnonzero(x > 0) if self._is_log else np.arange(x.size)
        kept = kept[evenly(kept.size, _MOST_POINTS)]
        return x[kept], y[kept]

    def _tint(self) -> None:
        palette = self.palette()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        tint_axes(self.plot, palette)
        self.plot.getAxis("bottom").logTickStrings = log_ticks
        self.plot.getAxis("left").tickStrings = ticks
        self.plot.showGrid(x=True, y=False, alpha=0.12)
        self._zero.setPen(pg.mkPen(muted(palette), style=Qt.PenStyle.DashLine))
        for index, item in enumerate(self.items):
            color = series(palette, index)
            item.setPen(pg.mkPen(series(palette, index, 110), width=1))
            item.setSymbol("o")
            item.setSymbolPen(pg.mkPen(color, width=1.2))
            item.setSymbolBrush(color if index == 0 else None)
        self._name_axes()

    def _name_axes(self) -> None:
        text = self.palette().color(QPalette.ColorRole.Text).name()
        unit = "" if self._residuals is None else self._residuals.unit
        self.plot.setLabel("bottom", self._x_label or None, color=text)
        self.plot.setLabel("left", with_unit(self.tr("Residual"), unit), color=text)
