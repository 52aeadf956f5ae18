"""`ParameterModel`: a model's parameters as a table model of Qt: starts, then estimates."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from qtpy.QtGui import QGuiApplication

from rheojobs.inference.expressions.parameter_symbols import parameter_symbol
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.thresholds import MAX_R_HAT, MIN_ESS
from rheojobs.qt.widgets.common.colors import alarm, muted
from rheojobs.qt.widgets.common.copying import COPY_ROLE
from rheojobs.qt.widgets.common.texts import bounds_text, estimate, number, unit_text, with_unit
from rheojobs.qt.widgets.model.parameter_rows import NUMBERS, ParameterColumn, Row, RowChange

__all__ = ["ParameterModel"]

_ROOT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class ParameterModel(QAbstractTableModel):
    """Parameters as rows; a typed value is the initial value of the next fit, or a fixed value.

    Attributes
    ----------
    refused : Signal(str)
        Why the typed text is invalid, in one line; empty when it is valid again.
    """

    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._ties: dict[str, str] = {}

    def set_parameters(self, parameters: Sequence[Parameter]) -> None:
        """Show a model's parameters, without estimates."""
        self._reset([Row(item.name, item.unit, item) for item in parameters])

    def show_fit(self, result: FitResult) -> None:
        """Show estimates and standard errors."""
        known = {row.name: row for row in self._rows}
        self._reset(
            [
                Row(
                    name,
                    result.units.get(name, ""),
                    value=value,
                    uncertainty=result.uncertainties.get(name),
                    **(known[name].kept() if name in known else {}),
                )
                for name, value in result.parameters.items()
            ]
        )

    def show_posterior(self, result: BayesianResult) -> None:
        """Show means, standard deviations, R-hat and ESS; fixed parameters stay fixed."""
        known = {row.name: row for row in self._rows}
        intervals = result.credible_intervals or {}
        fixed = [
            Row(row.name, row.unit, value=row.fixed_at, **row.kept())
            for row in self._rows
            if row.is_fixed and row.name not in result.summary
        ]
        drawn = [
            Row(
                name,
                result.units.get(name, ""),
                value=row["mean"],
                uncertainty=row["std"],
                r_hat=row["r_hat"],
                ess=min(row["ess_bulk"], row["ess_tail"]),
                interval=intervals.get(name),
                **(known[name].kept() if name in known else {}),
            )
            for name, row in result.summary.items()
        ]
        places = {name: place for place, name in enumerate(known)}
        self._reset(sorted(fixed + drawn, key=lambda row: places.get(row.name, len(places))))

    def set_ties(self, ties: Mapping[str, str]) -> None:
        """Show which parameters a fit computes from others; they take no initial value."""
        if dict(ties) != self._ties:
            self._ties = dict(ties)
            self._tell_all()

    def _tell_all(self) -> None:
        if self._rows:
            last = self.index(len(self._rows) - 1, len(ParameterColumn) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def rows(self) -> Sequence[Row]:
        """Return the rows; the caller must not change them."""
        return tuple(self._rows)

    def give_values(self, values: Mapping[str, float]) -> None:
        """Make values the initial values of the next fit, except those of fixed parameters."""
        for row in self._rows:
            if row.name in values and row.parameter is not None and not row.is_fixed:
                self._set_value(row, repr(float(values[row.name])))
        self._tell_all()

    def given_values(self) -> dict[str, float]:
        """Return the values that the user typed, except of fixed and tied parameters."""
        return {
            row.name: row.value
            for row in self._rows
            if row.is_given
            and not row.is_fixed
            and row.value is not None
            and row.name not in self._ties
        }

    def fixed_values(self) -> dict[str, float]:
        """Return the fixed parameters and their values; a tie goes before."""
        fixed = (r for r in self._rows if r.name not in self._ties)
        return {r.name: r.fixed_at for r in fixed if r.fixed_at is not None}

    def edited_bounds(self) -> dict[str, tuple[float, float]]:
        """Return the bounds that the user has changed."""
        return {r.name: r.edited_bounds for r in self._rows if r.edited_bounds is not None}

    def fit_options(self) -> dict[str, Any]:
        """Return the options of a fit that they set, as in `FitOptions`."""
        options = {"fixed": self.fixed_values(), "bounds": self.edited_bounds()}
        return {name: value for name, value in options.items() if value}

    def change_rows(self, change: RowChange) -> None:
        """Change all rows, as by edits."""
        for row in self._rows:
            change(row)
        self._tell_all()

    def has_draws(self) -> bool:
        """Whether R-hat and ESS are known."""
        return any(row.r_hat is not None for row in self._rows)

    def _reset(self, rows: list[Row]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    # ---------------------------------------------------------------- the interface of Qt

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Count the parameters."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(ParameterColumn)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the title or the tool tip of a column."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        is_number = section in NUMBERS
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                self.tr("Parameter"),
                self.tr("Value"),
                self.tr("±"),
                self.tr("Unit"),
                self.tr("Fixed"),
                self.tr("Bounds"),
                self.tr("R-hat"),
                self.tr("ESS"),
            )[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                self.tr("Name in the model"),
                self.tr("Estimate; type a number to set the initial value of the next fit"),
                self.tr("Standard error of a fit, standard deviation of a posterior"),
                self.tr("Unit of value, uncertainty and bounds"),
                self.tr("Fixed at its value, in a fit and in a sampling"),
                self.tr("Smallest and largest value allowed; type two numbers to change them"),
                self.tr("Agreement of the chains: {limit} or less is good").format(limit=MAX_R_HAT),
                self.tr("Independent draws: {limit:.0f} or more are good").format(limit=MIN_ESS),
            )[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Make value, bounds and fixing of a model's own parameter editable."""
        flags = super().flags(index)
        row = self._rows[index.row()] if index.isValid() else None
        own = row is not None and row.parameter is not None and row.name not in self._ties
        if own and index.column() in (ParameterColumn.VALUE, ParameterColumn.BOUNDS):
            flags |= Qt.ItemFlag.ItemIsEditable
        if own and index.column() == ParameterColumn.FIXED:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the data of a cell."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.EditRole:
            return row.edited(column)
        if role == COPY_ROLE:
            return row.copied(column)
        if role == Qt.ItemDataRole.CheckStateRole and column == ParameterColumn.FIXED:
            is_own = row.parameter is not None and row.name not in self._ties
            return _CHECKS[row.is_fixed] if is_own else None
        if role == Qt.ItemDataRole.AccessibleTextRole and column == ParameterColumn.FIXED:
            return self.tr("{name} fixed").format(name=row.name)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(row, column)
        return self._hint(row, column) if role == Qt.ItemDataRole.ToolTipRole else None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Set a value, bounds or a tick; refuse invalid text, and emit why."""
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == ParameterColumn.FIXED:
            problem = self._fix(row, Qt.CheckState(value) == Qt.CheckState.Checked)
        elif role != Qt.ItemDataRole.EditRole or str(value).strip() == row.edited(column):
            return False
        elif column == ParameterColumn.VALUE:
            problem = self._set_value(row, str(value).strip().replace(",", "."))
        elif column == ParameterColumn.BOUNDS:
            problem = self._set_bounds(row, str(value).strip())
        else:
            return False
        self.refused.emit(problem)
        if problem:
            return False
        last = self.index(index.row(), len(ParameterColumn) - 1)
        self.dataChanged.emit(self.index(index.row(), 0), last)
        return True

    def _fix(self, row: Row, fixed: bool) -> str:
        """Fix a parameter at its value, or at the model's default; return why it cannot be."""
        if fixed and row.value is None:
            row.value = row.parameter.default if row.parameter is not None else None
            row.is_given = row.value is not None
        if fixed and row.value is None:
            return self.tr("{name}: type a value to fix it at").format(
                name=parameter_symbol(row.name)
            )
        row.fixed_at = row.value if fixed else None
        return ""

    def _set_value(self, row: Row, text: str) -> str:
        """Set an initial value; an empty one is estimated from the data."""
        try:
            given = float(text) if text else None
        except ValueError:
            given = math.nan
        if given is not None and not math.isfinite(given):
            return self.tr("{name}: {text} is not a number").format(
                name=parameter_symbol(row.name), text=repr(text)
            )
        row.value, row.is_given = given, given is not None
        row.fixed_at = given if row.is_fixed else None
        row.uncertainty = row.r_hat = row.ess = row.interval = None
        return ""

    def _set_bounds(self, row: Row, text: str) -> str:
        """Set bounds, wider than the model's if it allows; an empty text restores the model's."""
        assert row.parameter is not None
        lower, upper = row.parameter.widest
        if not text:
            row.edited_bounds = None
            return ""
        try:
            low, high = (float(part) for part in re.split(r"\s*(?:…|\.\.+|;|\bto\b)\s*", text))
        except ValueError:
            return self.tr("{name}: bounds are two numbers, such as 0.1 … 10").format(
                name=parameter_symbol(row.name)
            )
        if not lower <= low < high <= upper:
            return self.tr("{name}: bounds must ascend and lie within {limits}").format(
                name=parameter_symbol(row.name), limits=bounds_text(lower, upper)
            )
        row.edited_bounds = None if (low, high) == row.parameter.bounds else (low, high)
        return ""

    def _text(self, row: Row, column: int) -> str:
        if column == ParameterColumn.NAME:
            return parameter_symbol(row.name)
        if column == ParameterColumn.VALUE:
            if row.value is None:
                return self.tr("tied") if row.name in self._ties else self.tr("estimated")
            return estimate(row.value, row.uncertainty)
        if column == ParameterColumn.UNCERTAINTY:
            shown = row.uncertainty is not None and not (row.is_fixed and row.r_hat is None)
            return number(row.uncertainty or 0.0, 2, trim=False) if shown else ""
        if column == ParameterColumn.UNIT:
            return unit_text(row.unit)
        if column == ParameterColumn.BOUNDS:
            return "" if row.bounds is None else bounds_text(*row.bounds)
        if column == ParameterColumn.FIXED:
            return ""
        if column == ParameterColumn.R_HAT:
            return _known(row.r_hat, 3)
        return _known(row.ess, 0)

    def _color(self, row: Row, column: int) -> Any:
        palette = QGuiApplication.palette()
        if column == ParameterColumn.VALUE and row.value is None:
            return muted(palette)
        if column == ParameterColumn.R_HAT and row.r_hat is not None and row.r_hat > MAX_R_HAT:
            return alarm(palette)
        if column == ParameterColumn.ESS and row.ess is not None and not row.ess >= MIN_ESS:
            return alarm(palette)
        if column == ParameterColumn.UNCERTAINTY and row.is_undetermined:
            return alarm(palette)
        if column == ParameterColumn.VALUE and row.is_at_bound:
            return alarm(palette)
        if column == ParameterColumn.BOUNDS and row.edited_bounds is None:
            return muted(palette)
        return None

    def _hint(self, row: Row, column: int) -> str | None:
        if column in (ParameterColumn.NAME, ParameterColumn.VALUE) and row.name in self._ties:
            tie = f"{row.name} = {self._ties[row.name]}"
            return self.tr("{tie}, in fits: see the options").format(tie=tie)
        if column == ParameterColumn.NAME:
            words = row.parameter.description if row.parameter is not None else ""
            return f"{row.name}: {words}" if words else row.name
        if column == ParameterColumn.BOUNDS and row.bounds is not None:
            return with_unit(bounds_text(*row.bounds), row.unit)
        if column == ParameterColumn.UNCERTAINTY and row.is_undetermined:
            return self.tr("The data do not determine this parameter")
        if column == ParameterColumn.VALUE and row.is_at_bound:
            return self.tr("The estimate is at its bound")
        if column in (ParameterColumn.VALUE, ParameterColumn.UNCERTAINTY) and row.interval:
            low, high = (number(end) for end in row.interval)
            return self.tr("95 % of the posterior lies between {low} and {high}").format(
                low=low, high=high
            )
        return None


_CHECKS = (Qt.CheckState.Unchecked, Qt.CheckState.Checked)


def _known(value: float | None, decimals: int) -> str:
    if value is None:
        return ""
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"
