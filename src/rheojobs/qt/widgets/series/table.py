"""`SeriesTable`: the table view of many files; sorted by a click on a title."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.series.columns import ColumnKind
from rheojobs.qt.widgets.series.model import SeriesModel, SortedSeries
from rheojobs.qt.widgets.series.rows import SeriesRow

__all__ = ["SeriesTable"]

_CHARACTERS = {
    ColumnKind.NAME: 22,
    ColumnKind.STATE: 14,
    ColumnKind.REMARK: 26,
    ColumnKind.MODEL: 18,
    ColumnKind.TEST: 12,
    ColumnKind.POINTS: 8,
    ColumnKind.CONDITION: 9,
    ColumnKind.PARAMETER: 25,
    ColumnKind.R_SQUARED: 10,
    ColumnKind.DEVIATION: 13,
}
"""Widths of the columns; measured ones would take long with many rows."""


class SeriesTable(QTableView):
    """Many files, a row each.

    Attributes
    ----------
    selection_changed : Signal()
        Other rows are selected, or another row is current.
    row_activated : Signal(object)
        A `SeriesRow` that was double-clicked, or on which Enter was pressed.
    """

    selection_changed = Signal()
    row_activated = Signal(object)

    def __init__(self, model: SeriesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = model
        self._sorted = SortedSeries(model, self)
        self.setModel(self._sorted)
        self.setAccessibleName(self.tr("Files"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        # A double click shows the curve; a condition is edited by typing, or by F2.
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setAlternatingRowColors(True)
        style_table(self, 6)
        self.setWordWrap(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)  # in the order of opening
        header.setSortIndicatorClearable(True)
        self._sorted.columnsInserted.connect(
            lambda _, first, last: self._set_widths(range(first, last + 1))
        )
        self._sorted.modelReset.connect(lambda: self._set_widths(self._all()))
        self._set_widths(self._all())
        selection = self.selectionModel()
        selection.selectionChanged.connect(lambda *_: self.selection_changed.emit())
        selection.currentRowChanged.connect(lambda *_: self.selection_changed.emit())
        self.doubleClicked.connect(self._on_double_clicked)

    def selected(self) -> list[SeriesRow]:
        """Return the selected rows, in the order of opening."""
        places = sorted(
            self._sorted.mapToSource(index).row() for index in self.selectionModel().selectedRows()
        )
        return [self._source.rows[place] for place in places]

    def current(self) -> SeriesRow | None:
        """Return the row with the cursor."""
        index = self._sorted.mapToSource(self.currentIndex())
        return self._source.rows[index.row()] if index.isValid() else None

    def select(self, rows: Sequence[SeriesRow]) -> None:
        """Select rows, and move the cursor to the first."""
        chosen = QItemSelection()
        indexes = [
            self._sorted.mapFromSource(self._source.index(self._source.place_of(row), 0))
            for row in rows
        ]
        for index in indexes:
            chosen.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        selection = self.selectionModel()
        if indexes:
            selection.setCurrentIndex(indexes[0], flags.NoUpdate)
            self.scrollTo(indexes[0])
        selection.select(chosen, flags.ClearAndSelect | flags.Rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter activates the current row."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        row = self.current()
        if is_enter and row is not None and self.state() != QAbstractItemView.State.EditingState:
            self.row_activated.emit(row)
        else:
            super().keyPressEvent(event)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)
            return
        row = self.current()
        if row is not None:
            self.row_activated.emit(row)

    def _all(self) -> range:
        return range(len(self._source.columns))

    def _set_widths(self, places: Sequence[int]) -> None:
        """Give columns their usual widths; the others may have been changed by the user."""
        width = self.fontMetrics().averageCharWidth()
        for place in places:
            self.setColumnWidth(place, width * _CHARACTERS[self._source.columns[place].kind])
