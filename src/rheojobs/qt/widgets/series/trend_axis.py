"""The horizontal axes of a trend: conditions, the reciprocal temperature, time, order.

No Qt, but for translation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qtpy.QtCore import QCoreApplication

from rheojobs.inference.data.conditions import CONDITIONS
from rheojobs.qt.widgets.common.texts import with_unit
from rheojobs.qt.widgets.series.rows import SeriesRow

__all__ = ["TrendAxis", "axes_of"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("series", text)


@dataclass(frozen=True)
class TrendAxis:
    """What a parameter is drawn against.

    Attributes
    ----------
    kind : str
        ``"condition"``, ``"reciprocal"`` for 1000 / T, ``"time"`` of the file, or ``"order"``.
    name : str
        Of the condition.
    """

    kind: Literal["condition", "reciprocal", "time", "order"]
    name: str = ""

    @property
    def title(self) -> str:
        """The label of the axis."""
        match self.kind:
            case "reciprocal":
                return _tr("1000 / T / (1/K)")
            case "time":
                return _tr("Time of the file")
            case "order":
                return _tr("Number of the file")
        what, unit = CONDITIONS.get(self.name, ("", ""))
        return with_unit(f"{what.capitalize()} {self.name}" if what else self.name, unit)

    def value(self, row: SeriesRow, place: int) -> float:
        """Return where a row stands; NaN if that is not known."""
        match self.kind:
            case "order":
                return place + 1.0
            case "time":
                return row.modified
            case "reciprocal":
                return 1000.0 / row.conditions["T"] if "T" in row.conditions else math.nan
        return row.conditions.get(self.name, math.nan)


def axes_of(rows: Sequence[SeriesRow]) -> list[TrendAxis]:
    """Return the axes that rows have values for; the first is the most useful."""
    names = dict.fromkeys(name for row in rows for name in row.conditions)
    ordered = [name for name in CONDITIONS if name in names]
    ordered += [name for name in names if name not in CONDITIONS]
    axes = [TrendAxis("condition", name) for name in ordered]
    if "T" in names:
        axes.insert(1, TrendAxis("reciprocal", "T"))
    axes.append(TrendAxis("order"))
    if any(math.isfinite(row.modified) for row in rows):
        axes.append(TrendAxis("time"))
    return axes
