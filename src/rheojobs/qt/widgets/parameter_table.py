"""The parameters of a model: start values, then estimates with their uncertainties.

Knows `Parameter` and the two results as data; must not know how they come about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from rheojobs.inference.diagnostics import MAX_R_HAT, MIN_ESS
from rheojobs.inference.parameters import Parameter
from rheojobs.inference.results import BayesianResult, FitResult
from rheojobs.qt.widgets.colors import alarm, muted
from rheojobs.qt.widgets.texts import bounds_text, estimate, number, unit_text

__all__ = ["ParameterColumn", "ParameterModel", "ParameterTable"]

_ROOT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class ParameterColumn(IntEnum):
    """What the columns show."""

    NAME = 0
    VALUE = 1
    UNCERTAINTY = 2
    UNIT = 3
    BOUNDS = 4
    R_HAT = 5
    ESS = 6


@dataclass(slots=True)
class _Row:
    name: str
    unit: str
    parameter: Parameter | None = None
    value: float | None = None
    is_given: bool = False
    uncertainty: float | None = None
    r_hat: float | None = None
    ess: float | None = None
    interval: tuple[float, float] | None = None


class ParameterModel(QAbstractTableModel):
    """Parameters as rows; the value can be edited, and is then where the next fit starts."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[_Row] = []

    def set_parameters(self, parameters: Sequence[Parameter]) -> None:
        """Show a model's parameters, with nothing known of them yet."""
        self._reset([_Row(item.name, item.unit, item) for item in parameters])

    def show_fit(self, result: FitResult) -> None:
        """Show estimates and standard errors."""
        known = {row.name: row.parameter for row in self._rows}
        self._reset(
            [
                _Row(
                    name,
                    result.units.get(name, ""),
                    known.get(name),
                    value,
                    uncertainty=result.uncertainties.get(name),
                )
                for name, value in result.parameters.items()
            ]
        )

    def show_posterior(self, result: BayesianResult) -> None:
        """Show means and standard deviations, and how good the draws are."""
        known = {row.name: row.parameter for row in self._rows}
        intervals = result.credible_intervals or {}
        self._reset(
            [
                _Row(
                    name,
                    result.units.get(name, ""),
                    known.get(name),
                    row["mean"],
                    uncertainty=row["std"],
                    r_hat=row["r_hat"],
                    ess=min(row["ess_bulk"], row["ess_tail"]),
                    interval=intervals.get(name),
                )
                for name, row in result.summary.items()
            ]
        )

    def given_values(self) -> dict[str, float]:
        """Give the values that the user typed."""
        return {r.name: r.value for r in self._rows if r.is_given and r.value is not None}

    def has_draws(self) -> bool:
        """Whether R-hat and ESS are known."""
        return any(row.r_hat is not None for row in self._rows)

    def _reset(self, rows: list[_Row]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    # ---------------------------------------------------------------- what Qt asks

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
        """Name the columns, and explain them."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        is_number = section in _NUMBERS
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                self.tr("Parameter"),
                self.tr("Value"),
                self.tr("±"),
                self.tr("Unit"),
                self.tr("Bounds"),
                self.tr("R-hat"),
                self.tr("ESS"),
            )[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                self.tr("Name in the model"),
                self.tr("Estimate; type a number to start the next fit there"),
                self.tr("Standard error of a fit, standard deviation of a posterior"),
                self.tr("Unit of value, uncertainty and bounds"),
                self.tr("Smallest and largest value allowed"),
                self.tr("Agreement of the chains: {limit} or less is good").format(limit=MAX_R_HAT),
                self.tr("Independent draws: {limit:.0f} or more are good").format(limit=MIN_ESS),
            )[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Let the value of a model's own parameter be edited."""
        flags = super().flags(index)
        own = index.isValid() and self._rows[index.row()].parameter is not None
        if own and index.column() == ParameterColumn.VALUE:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.EditRole and column == ParameterColumn.VALUE:
            return "" if row.value is None else f"{row.value:.10g}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(row, column)
        return self._hint(row, column) if role == Qt.ItemDataRole.ToolTipRole else None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a start value; an empty one is estimated from the data; nonsense is refused."""
        if role != Qt.ItemDataRole.EditRole or index.column() != ParameterColumn.VALUE:
            return False
        row = self._rows[index.row()]
        text = str(value).strip().replace(",", ".")
        if text == self.data(index, Qt.ItemDataRole.EditRole):
            return False
        try:
            number_given = float(text) if text else None
        except ValueError:
            return False
        if number_given is not None and not math.isfinite(number_given):
            return False
        row.value, row.is_given = number_given, number_given is not None
        row.uncertainty = row.r_hat = row.ess = row.interval = None
        self.dataChanged.emit(
            self.index(index.row(), 0), self.index(index.row(), len(ParameterColumn) - 1)
        )
        return True

    def _text(self, row: _Row, column: int) -> str:
        if column == ParameterColumn.NAME:
            return row.name
        if column == ParameterColumn.VALUE:
            return (
                self.tr("estimated") if row.value is None else estimate(row.value, row.uncertainty)
            )
        if column == ParameterColumn.UNCERTAINTY:
            return "" if row.uncertainty is None else number(row.uncertainty, 2, trim=False)
        if column == ParameterColumn.UNIT:
            return unit_text(row.unit)
        if column == ParameterColumn.BOUNDS:
            return "" if row.parameter is None else bounds_text(*row.parameter.bounds)
        if column == ParameterColumn.R_HAT:
            return _known(row.r_hat, 3)
        return _known(row.ess, 0)

    def _color(self, row: _Row, column: int) -> Any:
        palette = QGuiApplication.palette()
        if column == ParameterColumn.VALUE and row.value is None:
            return muted(palette)
        if column == ParameterColumn.R_HAT and row.r_hat is not None and row.r_hat > MAX_R_HAT:
            return alarm(palette)
        if column == ParameterColumn.ESS and row.ess is not None and row.ess < MIN_ESS:
            return alarm(palette)
        if column == ParameterColumn.UNCERTAINTY and _is_undetermined(row):
            return alarm(palette)
        if column == ParameterColumn.VALUE and _is_at_bound(row):
            return alarm(palette)
        if column == ParameterColumn.BOUNDS:
            return muted(palette)
        return None

    def _hint(self, row: _Row, column: int) -> str | None:
        if column == ParameterColumn.NAME and row.parameter is not None:
            return row.parameter.description or None
        if column == ParameterColumn.UNCERTAINTY and _is_undetermined(row):
            return self.tr("The data do not determine this parameter")
        if column == ParameterColumn.VALUE and _is_at_bound(row):
            return self.tr("The estimate is at its bound")
        if column in (ParameterColumn.VALUE, ParameterColumn.UNCERTAINTY) and row.interval:
            low, high = (number(end) for end in row.interval)
            return self.tr("95 % of the posterior lies between {low} and {high}").format(
                low=low, high=high
            )
        return None


_NUMBERS = (
    ParameterColumn.VALUE,
    ParameterColumn.UNCERTAINTY,
    ParameterColumn.R_HAT,
    ParameterColumn.ESS,
)


def _known(value: float | None, decimals: int) -> str:
    if value is None:
        return ""
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"


def _is_at_bound(row: _Row) -> bool:
    if row.parameter is None or row.value is None or row.is_given or row.r_hat is not None:
        return False
    return any(math.isclose(row.value, end, rel_tol=1e-4) for end in row.parameter.bounds)


def _is_undetermined(row: _Row) -> bool:
    return row.uncertainty is not None and math.isinf(row.uncertainty)


class ParameterTable(QTableView):
    """Shows a `ParameterModel`, and of its columns those that have something to say."""

    def __init__(self, model: ParameterModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setAccessibleName(self.tr("Parameters"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 5)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(ParameterColumn.BOUNDS, QHeaderView.ResizeMode.Stretch)
        model.modelReset.connect(self._choose_columns)
        self._choose_columns()

    def _choose_columns(self) -> None:
        for column in (ParameterColumn.R_HAT, ParameterColumn.ESS):
            self.setColumnHidden(column, not self._model.has_draws())
