"""Data, fitted curve and predictive band, on logarithmic axes where the test asks for them.

Draws what it is given; must not know how curves and bands are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from rheojobs.inference.data import Dataset
from rheojobs.qt.widgets.bands import Band
from rheojobs.qt.widgets.colors import muted, series
from rheojobs.qt.widgets.texts import power_of_ten, with_unit

__all__ = ["DataPlot"]

_LINEAR_MODES = ("startup", "laos")
_X_LABELS = {
    "oscillation": "Angular frequency ω",
    "flow_curve": "Shear rate γ̇",
    None: "x",
}
_Y_LABELS = {
    "oscillation": ("Storage and loss modulus G′, G″", ("G′", "G″")),
    "relaxation": ("Relaxation modulus G", ("G",)),
    "creep": ("Creep compliance J", ("J",)),
    "startup": ("Shear stress σ", ("σ",)),
    "laos": ("Shear stress σ", ("σ",)),
}
_Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def _components(y: NDArray[Any]) -> list[NDArray[np.float64]]:
    return [y.real, y.imag] if np.iscomplexobj(y) else [np.asarray(y, dtype=np.float64)]


def _log_ticks(values: Sequence[float], scale: float, spacing: float) -> list[str]:
    """Write ticks as powers of ten; between them, two and five times these."""
    return [_log_tick(10.0**value * scale) for value in values]


def _log_tick(value: float) -> str:
    power = int(np.floor(np.log10(value) + 1e-9))
    factor = value / 10.0**power
    if abs(factor - 1.0) < 1e-6:
        return power_of_ten(power)
    is_labelled = min(abs(factor - 2.0), abs(factor - 5.0)) < 1e-6
    return f"{factor:.0f}×{power_of_ten(power)}" if is_labelled else ""


def _least_positive(data: Dataset | None, index: int) -> float:
    assert data is not None
    y = _components(data.y)[index]
    return float(np.min(y[y > 0], initial=np.inf)) if (y > 0).any() else 1e-300


class DataPlot(QWidget):
    """The plot of one dataset; follows the palette, light or dark."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset: Dataset | None = None
        self._curve_name = ""
        self._curves: list[_Curve] = []
        self._bands: Sequence[Band] = ()
        self._symbols: tuple[str, ...] = ()
        self.view = pg.PlotWidget(self)
        self.view.setAcceptDrops(False)  # files are for the window
        self.view.setAccessibleName(self.tr("Plot of data and fit"))
        self.plot = self.view.getPlotItem()
        self.plot.hideButtons()
        self._legend = self.plot.addLegend(offset=(16, 12))
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

    def show_data(self, dataset: Dataset) -> None:
        """Show data alone."""
        self._dataset = dataset
        self._curve_name, self._curves, self._bands = "", [], ()
        self._stack.setCurrentWidget(self.view)
        self._draw()
        self.plot.enableAutoRange()

    def show_curve(self, name: str, fitted: NDArray[Any] | None) -> None:
        """Lay a curve over the data, given at their x."""
        self._curve_name, self._curves = name, []
        if fitted is not None and self._dataset is not None:
            order = np.argsort(self._dataset.x, kind="stable")
            x = self._dataset.x[order]
            self._curves = [(x, part[order]) for part in _components(fitted)]
        self._bands = ()
        self._draw()

    def show_bands(self, bands: Sequence[Band]) -> None:
        """Lay bands under the data."""
        self._bands = bands
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        palette = self.palette()
        self.view.setBackground(palette.color(QPalette.ColorRole.Base))
        text = palette.color(QPalette.ColorRole.Text)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(muted(palette))
            axis.setTextPen(text)
            axis.enableAutoSIPrefix(False)
            axis.logTickStrings = _log_ticks
        self._legend.setLabelTextColor(text)
        self.plot.clear()
        self._legend.clear()
        if self._dataset is None:
            return
        data = self._dataset
        is_log = data.test_mode not in _LINEAR_MODES
        # Switched when empty: pyqtgraph would transform what is on its way out.
        self.plot.setLogMode(is_log, is_log)
        self.plot.showGrid(x=True, y=True, alpha=0.12)
        x_name = _X_LABELS.get(data.test_mode, "Time t")
        y_name, symbols = self._y_names(data)
        self.plot.setLabel("bottom", with_unit(x_name, data.x_unit), color=text.name())
        self.plot.setLabel("left", with_unit(y_name, data.y_unit), color=text.name())
        self._symbols = symbols
        for index, part in enumerate(_components(data.y)):
            self._draw_points(data.x, part, index, symbols[index], is_log)
        for index, (x, y) in enumerate(self._curves):
            self._draw_curve(x, y, index, is_log)
        self._draw_bands(is_log)
        self._draw_legend()

    def _draw_points(
        self, x: NDArray[np.float64], y: NDArray[np.float64], index: int, name: str, is_log: bool
    ) -> None:
        color = series(self.palette(), index)
        shown = (x > 0) & (y > 0) if is_log else np.ones(x.size, dtype=bool)
        many = x.size > 300
        self.plot.plot(
            x[shown],
            y[shown],
            pen=None,
            symbol="o",
            symbolSize=4 if many else 8,
            symbolPen=pg.mkPen(color, width=1 if many else 1.5),
            # Filled and open, so that they are told apart in grey too.
            symbolBrush=color if index == 0 else None,
            name=name,
        )

    def _draw_curve(
        self, x: NDArray[np.float64], y: NDArray[np.float64], index: int, is_log: bool
    ) -> None:
        shown = (x > 0) & (y > 0) if is_log else np.ones(x.size, dtype=bool)
        style = Qt.PenStyle.SolidLine if index == 0 else Qt.PenStyle.DashLine
        pen = pg.mkPen(self.palette().color(QPalette.ColorRole.Text), width=2, style=style)
        name = self._curve_name if index == 0 else None
        curve = pg.PlotDataItem(x[shown], y[shown], pen=pen, antialias=True, name=name)
        self.plot.addItem(curve, ignoreBounds=True)

    def _draw_bands(self, is_log: bool) -> None:
        for index, band in enumerate(self._bands):
            x, low, high = band.x, band.low, band.high
            if is_log:
                # The logarithm of a prediction below zero is far below the picture, not missing.
                floor = 1e-3 * _least_positive(self._dataset, index)
                low, high = (np.log10(np.maximum(y, floor)) for y in (low, high))
                x = np.log10(x)
            edges = [pg.PlotCurveItem(x, y) for y in (low, high)]
            fill = pg.FillBetweenItem(*edges, brush=series(self.palette(), index, 55))
            fill.setZValue(-10)
            self.plot.addItem(fill, ignoreBounds=True)

    def _draw_legend(self) -> None:
        assert self._dataset is not None
        y = _components(self._dataset.y)[0][np.argsort(self._dataset.x, kind="stable")]
        # Curves that fall leave room on the right, those that rise on the left.
        side = 1 if y[-1] < y[0] else 0
        self._legend.anchor((side, 0), (side, 0), offset=(16 - 32 * side, 12))
        ground = self.palette().color(QPalette.ColorRole.Base)
        ground.setAlpha(200)
        self._legend.setBrush(ground)
        for index, symbol in enumerate(self._symbols[: len(self._bands)]):
            swatch = pg.PlotDataItem(pen=pg.mkPen(series(self.palette(), index, 90), width=9))
            name = self.tr("{symbol}, 95 % of predictions").format(symbol=symbol)
            self._legend.addItem(swatch, name)

    @staticmethod
    def _y_names(data: Dataset | None) -> tuple[str, tuple[str, ...]]:
        if data is None:
            return "y", ("y",)
        if np.iscomplexobj(data.y):
            return _Y_LABELS["oscillation"]
        if "viscosity" in data.quantity:
            return "Viscosity η", ("η",)
        if "stress" in data.quantity:
            return "Shear stress σ", ("σ",)
        if data.quantity and data.test_mode not in _Y_LABELS:
            return data.quantity.capitalize(), (data.quantity,)
        return _Y_LABELS.get(data.test_mode or "", ("y", ("y",)))
