"""The style of all figures: sizes, colours, and matplotlib's settings while one is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["BLUE", "CHAIN_COLOURS", "GREY", "RED", "new_figure", "style"]

DPI = 150
BLUE, RED, GREY = "#1f5fa8", "#c8442b", "#6b7280"
CHAIN_COLOURS = ("#1f5fa8", "#e08a1e", "#2a8c6a", "#a23b72", "#6b7280", "#5a4fcf")

_STYLE: Any = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": True,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "mathtext.fontset": "dejavusans",
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "savefig.facecolor": "white",
}


@contextmanager
def style() -> Iterator[None]:
    """Apply this style within the block."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Make a figure of this size in inches, without a window and outside pyplot's list."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
