"""`LossPlot`: the loss of a fit over its iterations, on a logarithmic axis, while it runs."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget

from rheojobs.qt.widgets.common.colors import series
from rheojobs.qt.widgets.plots.axes import log_ticks, tint_axes
from rheojobs.qt.widgets.plots.plot_copying import make_plot_copyable

__all__ = ["LossPlot"]

LEAST = 1e-300


class LossPlot(QWidget):
    """A small plot; `add` and `replace` take points, `draw` shows them; each start is a line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: NDArray[np.float64] = np.empty((3, 0))
        self.view = pg.PlotWidget(self)
        self.view.setAcceptDrops(False)
        self.view.setAccessibleName(self.tr("Loss of the fit over its iterations"))
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.setLogMode(False, True)
        self.curve = self.plot.plot([], [])
        make_plot_copyable(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._tint()

    def clear(self) -> None:
        """Begin with no points."""
        self._points = np.empty((3, 0))
        self.draw()

    def add(self, iteration: int, loss: float, start: int = 1) -> None:
        """Take one more point, of this start."""
        if self.count() and iteration <= self._points[0, -1]:
            return
        self._points = np.column_stack([self._points, (iteration, loss, start)])

    def replace(self, points: NDArray[np.float64]) -> None:
        """Replace the points by iterations, losses and numbers of the starts, of shape (3, k)."""
        self._points = points

    def count(self) -> int:
        """Count the points."""
        return int(self._points.shape[1])

    def draw(self) -> None:
        """Show the points, those of one start joined."""
        iterations, losses, starts = self._points
        joined = np.append(starts[1:] == starts[:-1], False) if starts.size else starts
        connect = joined.astype(np.int32)
        self.curve.setData(iterations, np.maximum(losses, LEAST), connect=connect)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        palette = self.palette()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        tint_axes(self.plot, palette)
        self.plot.getAxis("left").logTickStrings = log_ticks
        text = palette.color(QPalette.ColorRole.Text).name()
        self.plot.setLabel("bottom", self.tr("Iteration"), color=text)
        self.plot.setLabel("left", self.tr("Loss"), color=text)
        self.plot.showGrid(x=False, y=True, alpha=0.12)
        color = series(palette, 0)
        self.curve.setPen(pg.mkPen(color, width=1.5))
        self.curve.setSymbol("o")
        self.curve.setSymbolSize(4)
        self.curve.setSymbolPen(None)
        self.curve.setSymbolBrush(color)
