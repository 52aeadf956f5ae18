"""`SeriesModel`: the files and their fits as a table model, updated a few times a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QGuiApplication

from rheojobs.errors import InputError
from rheojobs.inference.data.conditions import check_conditions
from rheojobs.qt.widgets.common.colors import alarm, caution, good, muted
from rheojobs.qt.widgets.common.refresh import Refresher
from rheojobs.qt.widgets.series.columns import Column, ColumnKind, columns_of
from rheojobs.qt.widgets.series.rows import FitState, SeriesRow

__all__ = ["SORT_ROLE", "SeriesModel", "SortedSeries"]

SORT_ROLE = Qt.ItemDataRole.UserRole + 1
"""A number or a text by which a column is sorted."""

_ROOT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class SeriesModel(QAbstractTableModel):
    """The rows of a series, in the order of opening.

    Attributes
    ----------
    rows : list of SeriesRow
        The rows; call `touch` after changing one.
    changed : Signal()
        Some rows have changed; emitted at most twelve times a second.
    condition_edited : Signal(object, object)
        The user typed a condition: a `SeriesRow`, and all its conditions, not set yet.
    refused : Signal(str)
        Why what was typed is not taken; empty if it is taken.
    """

    changed = Signal()
    condition_edited = Signal(object, object)
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[SeriesRow] = []
        self._columns: list[Column] = columns_of(())
        self._touched: set[int] = set()
        self._places: dict[int, int] = {}
        self._refresher = Refresher(self.flush, self)

    @property
    def columns(self) -> list[Column]:
        """The columns."""
        return self._columns

    def set_rows(self, rows: Sequence[SeriesRow]) -> None:
        """Show these rows; selections in the others are kept."""
        gone = {id(row) for row in self.rows} - {id(row) for row in rows}
        for place in reversed(range(len(self.rows))):
            if id(self.rows[place]) in gone:
                self.beginRemoveRows(_ROOT, place, place)
                del self.rows[place]
                self.endRemoveRows()
        for place, row in enumerate(rows):
            if place >= len(self.rows) or self.rows[place] is not row:
                self.beginInsertRows(_ROOT, place, place)
                self.rows.insert(place, row)
                self.endInsertRows()
        self._places = {id(row): place for place, row in enumerate(self.rows)}
        self._touched.clear()
        self._arrange_columns()
        self._refresher.request()

    def touch(self, row: SeriesRow) -> None:
        """Show soon that a row has changed."""
        if id(row) in self._places:
            self._touched.add(self._places[id(row)])
            self._refresher.request()

    def place_of(self, row: SeriesRow) -> int:
        """Return the number of a row."""
        return self._places[id(row)]

    def flush(self) -> None:
        """Show all changes now."""
        self._refresher.cancel()
        touched, self._touched = self._touched, set()
        if touched:
            self._arrange_columns()
            last = self.columnCount() - 1
            self.dataChanged.emit(self.index(min(touched), 0), self.index(max(touched), last))
        self.changed.emit()

    def _arrange_columns(self) -> None:
        columns = columns_of(self.rows)
        if columns == self._columns:
            return
        # Columns are inserted and removed, not reset: the selection and the widths stay.
        for place in reversed(range(len(self._columns))):
            if self._columns[place] not in columns:
                self.beginRemoveColumns(_ROOT, place, place)
                del self._columns[place]
                self.endRemoveColumns()
        for place, column in enumerate(columns):
            if place >= len(self._columns) or self._columns[place] != column:
                if column in self._columns:  # in another order: rare
                    self.beginResetModel()
                    self._columns = columns
                    self.endResetModel()
                    return
                self.beginInsertColumns(_ROOT, place, place)
                self._columns.insert(place, column)
                self.endInsertColumns()

    # ---------------------------------------------------------------- the interface of Qt

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Count the files."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the title of a column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole and column.is_editable:
            return self.tr("From the file's name; type another value, or none")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, the colour, the remarks of a cell."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], self._columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.EditRole:
                value = row.conditions.get(column.name)
                return "" if value is None else f"{value:.10g}"
            case Qt.ItemDataRole.ToolTipRole:
                return self._hint(row, column)
            case Qt.ItemDataRole.ForegroundRole:
                return self._color(row, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.title}: {column.text(row)}"
        if role == SORT_ROLE:
            return column.value(row) if column.is_number else column.text(row).lower()
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a condition that was typed."""
        row, column = self.rows[index.row()], self._columns[index.column()]
        if role != Qt.ItemDataRole.EditRole or not column.is_editable or row.dataset is None:
            return False
        conditions = {name: one for name, one in row.conditions.items() if name != column.name}
        text = str(value).strip()
        try:
            if text:
                conditions |= check_conditions({column.name: _number(text)})
        except (InputError, ValueError) as error:
            is_number = isinstance(error, InputError)
            words = self.tr("{text!r} is no number: write one such as 298.15").format(text=text)
            self.refused.emit(str(error) if is_number else words)
            return False
        self.refused.emit("")
        if conditions != row.conditions:
            self.condition_edited.emit(row, conditions)
        return True

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Conditions can be edited."""
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        if index.isValid() and self._columns[index.column()].is_editable:
            has_data = self.rows[index.row()].dataset is not None
            flags |= Qt.ItemFlag.ItemIsEditable if has_data else Qt.ItemFlag.NoItemFlags
        return flags

    def _hint(self, row: SeriesRow, column: Column) -> str | None:
        if column.kind is ColumnKind.NAME and row.path is not None:
            return str(row.path)
        if column.kind in (ColumnKind.STATE, ColumnKind.REMARK):
            return "\n".join(row.remarks()) or None
        return None

    @staticmethod
    def _color(row: SeriesRow, column: Column) -> QColor | None:
        palette, state = QGuiApplication.palette(), row.state
        if column.kind is ColumnKind.STATE:
            return {
                FitState.GOOD: good(palette),
                FitState.DOUBTFUL: caution(palette),
                FitState.FAILED: alarm(palette),
                FitState.UNREAD: alarm(palette),
            }.get(state, muted(palette))
        return muted(palette) if row.dataset is None else None


def _number(text: str) -> float:
    return float(text.replace(",", ".").replace("−", "-"))


def _alignment(column: Column) -> int:
    side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


class SortedSeries(QSortFilterProxyModel):
    """The rows in the order of a column; rows without a number come last."""

    def __init__(self, model: SeriesModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)
        self.setDynamicSortFilter(True)

    def lessThan(self, left: _Index, right: _Index) -> bool:
        """Compare two cells."""
        a, b = (index.data(SORT_ROLE) for index in (left, right))
        if isinstance(a, float) and isinstance(b, float):
            is_ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
            last = math.inf if is_ascending else -math.inf
            a, b = (last if math.isnan(value) else value for value in (a, b))
        return bool(a < b)
