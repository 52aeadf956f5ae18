"""Places the legend of a plot where the fewest points are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtGui import QPalette

__all__ = ["emptiest_corner", "place_legend"]

_SHARE = 0.45
"""Fractions of the width and of the height that a legend may cover."""

type _Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def emptiest_corner(points: Sequence[_Points]) -> tuple[int, int]:
    """Return the corner with the fewest points: right or left (1, 0), above or below (1, 0).

    Parameters
    ----------
    points : sequence
        x and y of each component, in the scale of the axes.
    """
    x, y = (np.concatenate(parts) for parts in zip(*points, strict=True))
    if x.size == 0:
        return 0, 1
    x, y = ((values - values.min()) / (np.ptp(values) or 1.0) for values in (x, y))
    corners = ((0, 1), (1, 1), (1, 0), (0, 0))
    return min(
        corners,
        key=lambda corner: np.count_nonzero(
            (np.abs(x - corner[0]) < _SHARE) & (np.abs(y - corner[1]) < _SHARE)
        ),
    )


def place_legend(legend: pg.LegendItem, points: Sequence[_Points], palette: QPalette) -> None:
    """Move a legend into the emptiest corner, on a ground that lets the grid shine through."""
    right, top = emptiest_corner(points)
    legend.anchor((right, 1 - top), (right, 1 - top), offset=(16 - 32 * right, 24 * top - 12))
    ground = palette.color(QPalette.ColorRole.Base)
    ground.setAlpha(200)
    legend.setBrush(ground)
