"""`DataPlot`: data, curves and predictive bands, on logarithmic axes if usual for the test.

While a fit runs, plot items only get new data; none is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QGraphicsItem, QLabel, QStackedLayout, QWidget

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bands import Band
from rheojobs.inference.results.curves import Curve, components
from rheojobs.inference.results.oscillation_views import VIEWS, OscillationView
from rheojobs.qt.widgets.common.colors import series
from rheojobs.qt.widgets.plots.axes import log_ticks, tint_axes
from rheojobs.qt.widgets.plots.frame import Frame
from rheojobs.qt.widgets.plots.legend import place_legend
from rheojobs.qt.widgets.plots.plot_copying import make_plot_copyable

__all__ = ["DataPlot"]

_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine)
"""Symbols of the first and the second component."""

_MOST_POINTS = 1500
"""Most points of each component, evenly chosen: a screen shows no more."""

_OTHER_SYMBOLS = ("s", "t", "d", "p", "h", "star")
"""Symbols of other datasets, so that they can be distinguished in grey too."""

_MOST_OTHERS = 8
"""Most other datasets: all are repainted with each present curve of a fit."""

_POINTS_OF_OTHERS = 400
"""Most points of each component of all other datasets together."""

_MOST_IN_A_COLUMN = 4
"""Most entries of the legend in one column."""

_MANY = 300
"""Number of points above which they are drawn smaller."""

_KEPT_COLORS = 4
"""Number of colours of other curves, after the two of the data."""


class DataPlot(QWidget):
    """The plot of one dataset; follows the palette, light or dark."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset: Dataset | None = None
        self._curve: Curve | None = None
        self._kept: list[Curve] = []
        self._others: Sequence[Dataset] = ()
        self._wanted_log: bool | None = None
        self._shares_x = False
        self._bands: Sequence[Band] = ()
        self._view = VIEWS[0]
        self._frame: Frame | None = None
        self._curve_items: list[pg.PlotDataItem] = []
        self._extra_items: list[pg.GraphicsObject] = []
        self.view = pg.PlotWidget(self)
        self.view.setAcceptDrops(False)  # files are for the window
        self.view.setAccessibleName(self.tr("Plot of data and fit"))
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self.plot.layout.setContentsMargins(6, 8, 14, 4)
        for side in ("left", "bottom"):
            # The grid lies under the curve: cached, it is copied for each present curve.
            axis = self.plot.getAxis(side)
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._legend = self.plot.addLegend(offset=(16, 12))
        make_plot_copyable(self.view)
        hint = QLabel(self.tr("Drop a file with measured data here, or open one (Ctrl+O)"), self)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setWordWrap(True)
        hint.setAutoFillBackground(True)
        hint.setBackgroundRole(QPalette.ColorRole.Base)
        self._hint = hint
        self._stack = QStackedLayout(self)
        self._stack.addWidget(hint)
        self._stack.addWidget(self.view)
        self._draw()

    @property
    def curve(self) -> Curve | None:
        """The curve over the data."""
        return self._curve

    def show_data(self, dataset: Dataset, kept: Sequence[Curve] = ()) -> None:
        """Show data without a curve of a present fit, but with thin curves of earlier fits."""
        is_new = dataset is not self._dataset or bool(self._others)
        self._dataset, self._others, self._kept, self._bands = dataset, (), list(kept), ()
        self._stack.setCurrentWidget(self.view)
        if is_new:
            self._curve = None
            self._draw()
        else:
            self._lay_curve(None)
            self._lay_extras()
        self.plot.enableAutoRange()

    def clear(self) -> None:
        """Show no data, but a hint how to open some."""
        self._dataset, self._others, self._kept, self._bands = None, (), [], ()
        self._curve = None
        self._draw()
        self._stack.setCurrentWidget(self._hint)

    def set_hint(self, text: str) -> None:
        """Set what is shown while there are no data."""
        self._hint.setText(text)

    def show_others(self, datasets: Sequence[Dataset]) -> None:
        """Show other data beside the present data: of the same test, in the same quantity."""
        if not datasets and not self._others:
            return
        self._others = tuple(datasets)
        self._draw()
        self.plot.enableAutoRange()

    @property
    def frame(self) -> Frame | None:
        """What the axes show; None without data."""
        return self._frame

    @property
    def is_log(self) -> bool:
        """Whether both axes are logarithmic."""
        return self._frame is None or all(self._frame.log)

    def share_x(self, shared: bool) -> None:
        """Leave the label and the ticks of x to a plot below, or show them here."""
        self._shares_x = shared
        self._name_x()

    def set_view(self, view: OscillationView) -> None:
        """Choose what is shown of an oscillation."""
        if view is self._view:
            return
        self._view = view
        if self._frame is not None and self._frame.view is not None:
            self._draw()
            self.plot.enableAutoRange()

    def set_log(self, is_log: bool | None) -> None:
        """Make both axes logarithmic or linear; None: as usual for the test."""
        if is_log == self._wanted_log:
            return
        self._wanted_log = is_log
        self._draw()
        self.plot.enableAutoRange()

    def show_curve(self, name: str, fitted: NDArray[Any] | None) -> None:
        """Draw a curve over the data, given at their x."""
        curve = None
        if fitted is not None and self._dataset is not None:
            curve = Curve.of(name, self._dataset.x, fitted)
        self._lay_curve(curve)
        if self._bands:
            self.show_bands(())

    def show_present(self, curve: Curve) -> None:
        """Draw the present curve of a fit over the data, instead of the previous one."""
        self._lay_curve(curve)

    def show_kept(self, kept: Sequence[Curve]) -> None:
        """Show thin curves of earlier fits."""
        self._kept = list(kept)
        self._lay_extras()

    def show_bands(self, bands: Sequence[Band]) -> None:
        """Draw bands behind the data."""
        self._bands = bands
        self._lay_extras()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    # ---------------------------------------------------------------- data and axes

    def _draw(self) -> None:
        palette = self.palette()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        tint_axes(self.plot, palette)
        for side in ("left", "bottom"):
            self.plot.getAxis(side).logTickStrings = log_ticks
        text = palette.color(QPalette.ColorRole.Text)
        self._legend.setLabelTextColor(text)
        self.plot.clear()
        self._legend.clear()
        self._curve_items, self._extra_items = [], []
        self._frame = None
        if self._dataset is None:
            return
        data = self._dataset
        self._frame = frame = Frame.of(data, self._view, self._wanted_log)
        # Switched when empty: pyqtgraph would transform the items that are about to go.
        self.plot.setLogMode(*frame.log)
        self.plot.showGrid(x=True, y=True, alpha=0.12)
        self._name_x()
        self.plot.setLabel("left", frame.y_label, color=text.name())
        self._draw_points(data, frame.symbols)
        self._draw_others()
        self._lay_curve(self._curve)
        self._lay_extras()
        points = [self._picked(data, index, _MOST_POINTS) for index in range(len(frame.symbols))]
        place_legend(self._legend, [frame.scaled(*each) for each in points], palette)

    def _name_x(self) -> None:
        axis = self.plot.getAxis("bottom")
        axis.setStyle(showValues=not self._shares_x)
        text = self.palette().color(QPalette.ColorRole.Text).name()
        label = "" if self._frame is None or self._shares_x else self._frame.x_label
        self.plot.setLabel("bottom", label or None, color=text)

    def _draw_others(self) -> None:
        shown = self._others[:_MOST_OTHERS]
        for number, other in enumerate(shown):
            item = self._other_points(number, other, _POINTS_OF_OTHERS // len(shown))
            self.plot.addItem(item)
            self._legend.addItem(item, other.name or self.tr("unnamed"))
        more = len(self._others) - _MOST_OTHERS
        if more > 0:
            self._legend.addItem(
                pg.PlotDataItem(pen=None), self.tr("… and {n} more").format(n=more)
            )

    def _draw_points(self, data: Dataset, symbols: Sequence[str]) -> None:
        """Draw the present data: filled and open symbols distinguish the components in grey too."""
        many = data.x.size > _MANY
        for index, symbol in enumerate(symbols):
            color = series(self.palette(), index)
            x, y = self._picked(data, index, _MOST_POINTS)
            self.plot.plot(
                x,
                y,
                pen=None,
                symbol="o",
                symbolSize=4 if many else 8,
                symbolPen=pg.mkPen(color, width=1 if many else 1.5),
                symbolBrush=color if index == 0 else None,
                name=symbol,
            )

    def _other_points(self, number: int, data: Dataset, most: int) -> pg.ScatterPlotItem:
        """Return the points of the `number`-th other dataset as one item, for speed."""
        color = series(self.palette(), 2 + number % _KEPT_COLORS, 170)
        filled, many = pg.mkBrush(color), data.x.size > _MANY
        assert self._frame is not None
        count = len(self._frame.symbols)
        parts = [self._frame.scaled(*self._picked(data, index, most)) for index in range(count)]
        brushes = [
            filled if index == 0 else pg.mkBrush(None)
            for index, (x, _) in enumerate(parts)
            for _ in x
        ]
        item = pg.ScatterPlotItem(
            *(np.concatenate(values) for values in zip(*parts, strict=True)),
            symbol=_OTHER_SYMBOLS[number % len(_OTHER_SYMBOLS)],
            size=4 if many else 7,
            pen=pg.mkPen(color, width=1 if many else 1.5),
            brush=brushes,
        )
        item.opts["brush"] = filled  # in the legend
        return item

    def _picked(
        self, data: Dataset, index: int, most: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the points of a component that can be shown; an even choice if there are many.

        All points would be repainted with each present curve of a fit.
        """
        assert self._frame is not None
        x, parts = self._frame.points(data)
        y = parts[index]
        shown = np.flatnonzero(self._frame.visible(x, y))
        shown = shown[evenly(shown.size, most)]
        return x[shown], y[shown]

    # ---------------------------------------------------------------- curves and bands

    def _lay_curve(self, curve: Curve | None) -> None:
        """Give the items of the curve new data; they are made once for a dataset."""
        before = self._curve.name if self._curve is not None and self._curve_items else ""
        self._curve = curve
        x, parts = self._line(curve)
        while len(self._curve_items) < len(parts):
            pen = self._pen(self.palette().color(QPalette.ColorRole.Text), 2, self._curve_items)
            item = pg.PlotDataItem(pen=pen, antialias=True)
            self.plot.addItem(item, ignoreBounds=True)
            self._curve_items.append(item)
        for index, item in enumerate(self._curve_items):
            if index < len(parts):
                item.setData(*self._between(x, parts[index]))
            item.setVisible(index < len(parts))
        name = curve.name if curve is not None else ""
        if self._curve_items and name != before:
            self._legend.removeItem(self._curve_items[0])
            if name:
                self._legend.addItem(self._curve_items[0], name)

    def _lay_extras(self) -> None:
        """Make the bands and the curves of earlier fits again: they change when a job has ended."""
        for item in self._extra_items:
            self.plot.removeItem(item)
            self._legend.removeItem(item)
        self._extra_items = []
        if self._dataset is None:
            return
        self._draw_bands()
        for number, curve in enumerate(self._kept):
            self._draw_kept(number, curve)
        # A column of many entries would cover the data.
        self._legend.setColumnCount(1 + (len(self._legend.items) > _MOST_IN_A_COLUMN))

    def _draw_kept(self, number: int, curve: Curve) -> None:
        color = series(self.palette(), 2 + number % _KEPT_COLORS)
        items: list[pg.PlotDataItem] = []
        x, parts = self._line(curve)
        for part in parts:
            pen = self._pen(color, 1.3, items)
            item = pg.PlotDataItem(*self._between(x, part), pen=pen, antialias=True)
            item.setZValue(-5)
            self.plot.addItem(item, ignoreBounds=True)
            items.append(item)
        self._legend.addItem(items[0], curve.name)
        self._extra_items += items

    def _line(self, curve: Curve | None) -> tuple[NDArray[Any], tuple[NDArray[Any], ...]]:
        """Return x and the components of a curve in the present view; none without data."""
        if curve is None or self._frame is None:
            return np.empty(0), ()
        return self._frame.line(curve)

    def _between(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the points of a line that the axes can show."""
        assert self._frame is not None
        shown = self._frame.visible(x, y)
        return x[shown], y[shown]

    @staticmethod
    def _pen(color: QColor, width: float, before: Sequence[object]) -> Any:
        return pg.mkPen(color, width=width, style=_STYLES[min(len(before), 1)])

    def _draw_bands(self) -> None:
        """Draw the bands of what is measured; those of quantities derived from it are not known."""
        frame = self._frame
        if frame is None or not frame.shows_y:
            return
        for index, band in enumerate(self._bands):
            low, high = band.low, band.high
            if frame.log[1]:
                # The logarithm of a negative prediction is far below the plot, not missing.
                floor = 1e-3 * _least_positive(self._dataset, index)
                low, high = (np.maximum(y, floor) for y in (low, high))
            shown = frame.visible(band.x, low)
            edges = [pg.PlotCurveItem(*frame.scaled(band.x[shown], y[shown])) for y in (low, high)]
            fill = pg.FillBetweenItem(*edges, brush=series(self.palette(), index, 55))
            fill.setZValue(-10)
            self.plot.addItem(fill, ignoreBounds=True)
            swatch = pg.PlotDataItem(pen=pg.mkPen(series(self.palette(), index, 90), width=9))
            name = self.tr("{symbol}, 95 % of predictions").format(symbol=frame.symbols[index])
            self._legend.addItem(swatch, name)
            self._extra_items += [fill, swatch]


def _least_positive(data: Dataset | None, index: int) -> float:
    assert data is not None
    y = components(data.y)[index]
    return float(np.min(y[y > 0], initial=np.inf)) if (y > 0).any() else 1e-300
