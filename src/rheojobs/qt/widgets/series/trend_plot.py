"""`TrendPlot`: the estimates of one parameter with their intervals, against a condition."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QVBoxLayout, QWidget

from rheojobs.inference.batch.trend import Trend, TrendPoint
from rheojobs.qt.widgets.common.colors import alarm, caution, muted, series
from rheojobs.qt.widgets.common.texts import with_unit
from rheojobs.qt.widgets.plots.axes import log_ticks, ticks, tint_axes

__all__ = ["TrendPlot"]


def _around(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of values; a wider one if all are the same."""
    low, high = min(values), max(values)
    half = 0.0 if low < high else 0.05 * abs(low) or 1.0
    return low - half, high + half


_SYMBOLS = {"good": "o", "doubtful": "t1", "unconverged": "x"}
"""Marks that differ in grey too."""

_SIZE, _RING = 9, 17


class _SelectBox(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph ships no types
    """Reports the rectangle that is drawn with the left button, instead of moving the view."""

    banded = Signal(object)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() != Qt.MouseButton.LeftButton or axis is not None:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        start, end = event.buttonDownPos(event.button()), event.pos()
        if not event.isFinish():
            self.updateScaleBox(start, end)
            return
        self.rbScaleBox.hide()
        drawn = QRectF(QPointF(start), QPointF(end)).normalized()
        self.banded.emit(self.childGroup.mapRectFromParent(drawn))


class TrendPlot(QWidget):
    """One parameter of many fits; follows the palette.

    Attributes
    ----------
    chosen : Signal(object)
        The numbers of the files whose points were clicked, or lie in the rectangle that was drawn
        with the mouse.
    view : PlotWidget
        The plot.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trend: Trend | None = None
        self._title = ""
        self._is_time = False
        self._selected: frozenset[int] = frozenset()
        self._box = _SelectBox(enableMenu=False)
        self.view = pg.PlotWidget(self, viewBox=self._box)
        self.view.setAcceptDrops(False)  # files are for the window
        self.view.setAccessibleName(self.tr("Parameter against a condition"))
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.layout.setContentsMargins(6, 8, 14, 4)
        self._bars = pg.ErrorBarItem()
        self._dots = pg.ScatterPlotItem(pxMode=True)
        self._dots.sigClicked.connect(self._on_clicked)
        # An item of its own: a selection does not draw the other points again.
        self._rings = pg.ScatterPlotItem(pxMode=True, symbol="o", size=_RING, brush=None)
        for item in (self._bars, self._dots, self._rings):
            self.plot.addItem(item, ignoreBounds=True)
        self._box.banded.connect(self._on_banded)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._tint()

    @property
    def trend(self) -> Trend | None:
        """What is drawn."""
        return self._trend

    @property
    def points(self) -> Sequence[TrendPoint]:
        """The points that are drawn."""
        return self._trend.points if self._trend is not None else ()

    def show_trend(self, trend: Trend | None, title: str, *, is_time: bool = False) -> None:
        """Show the estimates of a parameter; `title` is that of the horizontal axis."""
        same = (title, is_time) == (self._title, self._is_time)
        before = self._trend
        is_other = not same or trend is None or before is None or trend.name != before.name
        self._trend, self._title, self._is_time = trend, title, is_time
        self._label()
        self._draw()
        if is_other or before is None or len(before.points) != len(self.points):
            self._show_all()

    def select(self, numbers: Collection[int]) -> None:
        """Draw rings around the points of these files."""
        if frozenset(numbers) != self._selected:
            self._selected = frozenset(numbers)
            self._draw_rings()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    # ---------------------------------------------------------------- drawing

    def _tint(self) -> None:
        palette = self.palette()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        tint_axes(self.plot, palette)
        self.plot.getAxis("left").logTickStrings = log_ticks
        self.plot.getAxis("left").tickStrings = self._y_ticks
        self.plot.getAxis("bottom").tickStrings = self._x_ticks
        self._label()
        self._draw()

    def _label(self) -> None:
        trend, color = self._trend, self.palette().color(QPalette.ColorRole.Text).name()
        left = ""
        if trend is not None:
            left = with_unit(trend.name, trend.unit) + (f" ± {trend.what}" if trend.what else "")
        self.plot.setLabel("bottom", self._title, color=color)
        self.plot.setLabel("left", left, color=color)
        # The items are given logarithms: only the axis has to know it.
        self.plot.getAxis("left").setLogMode(trend is not None and trend.is_log)
        self.plot.showGrid(x=True, y=True, alpha=0.12)

    def _draw(self) -> None:
        points = self.points
        x = np.array([point.x for point in points])
        y, low, high = self._scaled([(point.y, point.low, point.high) for point in points]).T
        width = 0.012 * float(np.ptp(x)) if x.size > 1 else 0.0
        pen = pg.mkPen(muted(self.palette()), width=1)
        self._bars.setData(x=x, y=y, bottom=y - low, top=high - y, beam=width or None, pen=pen)
        brushes = {kind: pg.mkBrush(self._color(kind)) for kind in _SYMBOLS}
        pens = {kind: pg.mkPen(self._color(kind), width=1.5) for kind in _SYMBOLS}
        kinds = [point.kind for point in points]
        self._dots.setData(
            x,
            y,
            data=[point.number for point in points],
            symbol=[_SYMBOLS[kind] for kind in kinds],
            brush=[brushes[kind] for kind in kinds],
            pen=[pens[kind] for kind in kinds],
            size=_SIZE,
        )
        self._draw_rings()

    def _draw_rings(self) -> None:
        chosen = [point for point in self.points if point.number in self._selected]
        pen = pg.mkPen(self.palette().color(QPalette.ColorRole.Text), width=1.5)
        y = self._scaled([(point.y,) for point in chosen])
        self._rings.setData([point.x for point in chosen], y.ravel(), pen=pen)

    def _show_all(self) -> None:
        """Show all points, with the bars of the good ones: those of others may reach far out."""
        points = self.points
        if not points:
            return
        good = [point for point in points if point.kind == "good"]
        y = [point.y for point in points] + [end for p in good for end in (p.low, p.high)]
        self.plot.setRange(
            xRange=_around([point.x for point in points]),
            yRange=_around(self._scaled([(value,) for value in y]).ravel().tolist()),
            padding=0.06,
        )

    def _scaled(self, values: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
        """Return the values of points in the scale of the axis, a row each."""
        found = np.array(values, dtype=np.float64) if values else np.empty((0, 3))
        return np.log10(found) if self._trend is not None and self._trend.is_log else found

    def _color(self, kind: str) -> QColor:
        if kind == "good":
            return series(self.palette(), 0)
        return caution(self.palette()) if kind == "doubtful" else alarm(self.palette())

    def _y_ticks(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        is_log = self._trend is not None and self._trend.is_log
        return (log_ticks if is_log else ticks)(values, scale, spacing)

    def _x_ticks(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if not self._is_time:
            return ticks(values, scale, spacing)
        pattern = "%H:%M" if spacing < 86_400 else "%d %b"
        return [datetime.fromtimestamp(max(value, 0)).strftime(pattern) for value in values]

    # ---------------------------------------------------------------- the mouse

    def _on_clicked(self, _: object, spots: Sequence[Any], *__: object) -> None:
        self.chosen.emit([int(spot.data()) for spot in spots][:1])

    def _on_banded(self, drawn: QRectF) -> None:
        is_log = self._trend is not None and self._trend.is_log
        inside = [
            point.number
            for point in self.points
            if drawn.contains(point.x, float(np.log10(point.y)) if is_log else point.y)
        ]
        self.chosen.emit(inside)
