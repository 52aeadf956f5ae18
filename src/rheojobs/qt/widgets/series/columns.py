"""The columns of the table of files: which there are, their titles and their texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from qtpy.QtCore import QCoreApplication

from rheojobs.inference.data.conditions import CONDITIONS
from rheojobs.qt.widgets.common.texts import estimate, number, with_unit
from rheojobs.qt.widgets.series.rows import FitState, SeriesRow

__all__ = ["Column", "ColumnKind", "columns_of", "state_text"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("series", text)


class ColumnKind(StrEnum):
    """What a column holds."""

    NAME = "name"
    TEST = "test"
    POINTS = "points"
    CONDITION = "condition"
    STATE = "state"
    REMARK = "remark"
    MODEL = "model"
    R_SQUARED = "r_squared"
    DEVIATION = "deviation"
    PARAMETER = "parameter"


_WORDS = (ColumnKind.NAME, ColumnKind.TEST, ColumnKind.STATE, ColumnKind.REMARK, ColumnKind.MODEL)

_MARKS = {
    FitState.UNREAD: "✗",
    FitState.READY: "·",
    FitState.WAITING: "…",
    FitState.FITTING: "▸",
    FitState.GOOD: "✓",
    FitState.DOUBTFUL: "▲",
    FitState.FAILED: "✗",
    FitState.STOPPED: "■",
}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    kind : ColumnKind
        What it holds.
    name, unit : str
        Of the condition or the parameter.
    """

    kind: ColumnKind
    name: str = ""
    unit: str = ""

    @property
    def title(self) -> str:
        """The title in the head of the table."""
        if self.kind in (ColumnKind.CONDITION, ColumnKind.PARAMETER):
            return with_unit(self.name, self.unit)
        return {
            ColumnKind.NAME: _tr("File"),
            ColumnKind.TEST: _tr("Test"),
            ColumnKind.POINTS: _tr("Points"),
            ColumnKind.STATE: _tr("State"),
            ColumnKind.REMARK: _tr("Remark"),
            ColumnKind.MODEL: _tr("Model"),
            ColumnKind.R_SQUARED: _tr("R²"),
            ColumnKind.DEVIATION: _tr("Deviation / %"),
        }[self.kind]

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.kind not in _WORDS

    @property
    def is_editable(self) -> bool:
        """Whether the user can type in it."""
        return self.kind is ColumnKind.CONDITION

    def text(self, row: SeriesRow) -> str:
        """Return the text of a cell."""
        match self.kind:
            case ColumnKind.NAME:
                return row.name
            case ColumnKind.TEST:
                return _mode(row)
            case ColumnKind.STATE:
                return state_text(row)
            case ColumnKind.REMARK:
                return row.first_remark()
            case ColumnKind.MODEL:
                return row.label
            case ColumnKind.POINTS:
                return "" if row.dataset is None else f"{len(row.dataset):,}"
            case ColumnKind.CONDITION:
                value = row.conditions.get(self.name)
                return "" if value is None else number(value, 6)
            case ColumnKind.PARAMETER:
                return self._estimate(row)
        value = self.value(row)
        return "" if math.isnan(value) else number(value, 5 if self.name == "" else 3)

    def value(self, row: SeriesRow) -> float:
        """Return the number of a cell, for sorting; NaN without one."""
        match self.kind:
            case ColumnKind.POINTS:
                return math.nan if row.dataset is None else float(len(row.dataset))
            case ColumnKind.CONDITION:
                return row.conditions.get(self.name, math.nan)
        if row.fit is None:
            return math.nan
        match self.kind:
            case ColumnKind.R_SQUARED:
                return row.fit.r_squared
            case ColumnKind.DEVIATION:
                return row.fit.mpe
            case ColumnKind.PARAMETER:
                is_same = row.fit.units.get(self.name, "") == self.unit
                return row.fit.parameters.get(self.name, math.nan) if is_same else math.nan
        return math.nan

    def _estimate(self, row: SeriesRow) -> str:
        value = self.value(row)
        if row.fit is None or math.isnan(value):
            return ""
        error = row.fit.uncertainties.get(self.name, math.nan)
        if not (math.isfinite(error) and error > 0):
            return number(value)
        text = estimate(value, error)
        factor, times, power = text.partition("×")
        if not times:
            return f"{text} ± {number(error, 2, trim=False)}"
        scale = 10.0 ** math.floor(math.log10(abs(value)))
        return f"({factor} ± {number(error / scale, 2, trim=False)})×{power}"


def _mode(row: SeriesRow) -> str:
    mode = row.dataset.test_mode if row.dataset is not None else ""
    return _tr("unknown") if mode is None else mode.replace("_", " ")


def state_text(row: SeriesRow) -> str:
    """Return the state of a row: a mark and a word, so that it needs no colour."""
    state = row.state
    words = {
        FitState.UNREAD: _tr("not read"),
        FitState.READY: _tr("not fitted"),
        FitState.WAITING: _tr("waiting"),
        FitState.FITTING: _tr("fitting"),
        FitState.GOOD: _tr("fitted"),
        FitState.DOUBTFUL: _tr("doubtful"),
        FitState.FAILED: _tr("failed"),
        FitState.STOPPED: _tr("stopped"),
    }[state]
    count = f" {row.iteration}" if state is FitState.FITTING and row.iteration else ""
    return f"{_MARKS[state]} {words}{count}"


def columns_of(rows: Sequence[SeriesRow]) -> list[Column]:
    """Return the columns of a table: the fixed ones, its conditions, and its parameters."""
    others = dict.fromkeys(name for row in rows for name in row.conditions)
    conditions = [*CONDITIONS, *(name for name in others if name not in CONDITIONS)]
    parameters = dict.fromkeys(
        (name, row.fit.units.get(name, ""))
        for row in rows
        if row.fit is not None
        for name in row.fit.parameters
    )
    return [
        Column(ColumnKind.NAME),
        Column(ColumnKind.STATE),
        Column(ColumnKind.REMARK),
        *(
            Column(ColumnKind.CONDITION, name, CONDITIONS.get(name, ("", ""))[1])
            for name in conditions
        ),
        *(Column(ColumnKind.PARAMETER, name, unit) for name, unit in parameters),
        Column(ColumnKind.R_SQUARED),
        Column(ColumnKind.DEVIATION),
        Column(ColumnKind.MODEL),
        Column(ColumnKind.TEST),
        Column(ColumnKind.POINTS),
    ]
