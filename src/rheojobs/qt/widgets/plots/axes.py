"""The axes of all plots: colours of the palette, and readable ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QPalette

from rheojobs.qt.widgets.common.colors import muted
from rheojobs.qt.widgets.common.texts import number, power_of_ten

__all__ = ["log_ticks", "ticks", "tint_axes"]


def tint_axes(plot: pg.PlotItem, palette: QPalette) -> None:
    """Give a plot's axes the colours of a palette, and no prefixes of units."""
    text = palette.color(QPalette.ColorRole.Text)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(muted(palette))
        axis.setTextPen(text)
        axis.enableAutoSIPrefix(False)
        # Even if switched off, pyqtgraph scales the ticks of an axis that already has a label.
        axis.autoSIPrefixScale = 1.0


def log_ticks(values: Sequence[float], scale: float, spacing: float) -> list[str]:
    """Write ticks as powers of ten, and between them two and five times these."""
    return [_log_tick(10.0**value * scale) for value in values]


def _log_tick(value: float) -> str:
    power = int(np.floor(np.log10(value) + 1e-9))
    factor = value / 10.0**power
    if abs(factor - 1.0) < 1e-6:
        return power_of_ten(power)
    is_labelled = min(abs(factor - 2.0), abs(factor - 5.0)) < 1e-6
    return f"{factor:.0f}×{power_of_ten(power)}" if is_labelled else ""


def ticks(values: Sequence[float], scale: float, spacing: float) -> list[str]:
    """Write ticks with enough decimals to differ; large and small ones as powers of ten."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest != 0.0 and not 1e-2 <= largest < 1e5:
        return [number(value, 3) for value in values]
    decimals = max(0, math.ceil(-math.log10(spacing)))
    return [f"{value:.{decimals}f}".replace("-", "−") for value in values]
