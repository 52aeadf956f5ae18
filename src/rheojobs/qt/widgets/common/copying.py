"""Copies tables as text for spreadsheets, by Ctrl+C and by a context menu.

`make_copyable(view)` is all that a table needs. A model gives numbers in full under `COPY_ROLE`,
and the titles of its columns with units; else what is shown is copied, in plain characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QCoreApplication, QModelIndex, Qt
from qtpy.QtGui import QAction, QGuiApplication, QKeySequence
from qtpy.QtWidgets import QTableView

__all__ = [
    "COPY_ROLE",
    "copied_number",
    "copy_text",
    "make_copyable",
    "plain_text",
    "table_text",
]

COPY_ROLE = int(Qt.ItemDataRole.UserRole) + 77
"""The role of a cell's text, or of a column's title, as it is copied."""

_POWER = re.compile(r"(?:(?<![\d.])|(?P<factor>\d[\d.]*)×)10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def _tr(text: str) -> str:
    return QCoreApplication.translate("copying", text)


def copied_number(value: float | None) -> str:
    """Write a number so that no digit is lost; nothing for None."""
    return "" if value is None else repr(float(value))


def plain_text(text: str) -> str:
    """Write a shown text so that a spreadsheet reads its numbers: ``4.46×10⁴`` as ``4.46e4``."""

    def exponent(found: re.Match[str]) -> str:
        return f"{found['factor'] or 1}e{found['power'].translate(_DIGITS)}"

    text = _POWER.sub(exponent, text).replace("−", "-").replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(text.split())  # neither a tab nor a line break within a cell


def table_text(view: QTableView, *, everything: bool = False) -> str:
    """Return the selected cells, or all, as tab-separated lines under the titles of the columns."""
    model, header = view.model(), view.horizontalHeader()
    order = sorted(range(model.columnCount()), key=header.visualIndex)
    columns = [column for column in order if not view.isColumnHidden(column)]
    rows: Sequence[int] = range(model.rowCount())
    selection = view.selectionModel().selection()
    if not everything and selection.count():
        parts = [selection[number] for number in range(selection.count())]  # type: ignore[index]
        rows = sorted({row for part in parts for row in range(part.top(), part.bottom() + 1)})
        chosen = {column for part in parts for column in range(part.left(), part.right() + 1)}
        columns = [column for column in columns if column in chosen]
    lines = [[_title(view, column) for column in columns]]
    lines += [[_cell(model.index(row, column)) for column in columns] for row in rows]
    return "".join("\t".join(line) + "\n" for line in lines)


def copy_text(text: str) -> None:
    """Put a text on the clipboard, if there is one."""
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)


def make_copyable(view: QTableView) -> list[QAction]:
    """Let Ctrl+C copy the selected rows of a table, or all, and offer it in its context menu."""
    actions = _copy_actions(view)
    view.addActions(actions)
    if view.contextMenuPolicy() == Qt.ContextMenuPolicy.DefaultContextMenu:
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
    return actions


def _copy_actions(view: QTableView) -> list[QAction]:
    """Return the actions that copy what is selected in a table, and all of it."""

    def put(everything: bool) -> None:
        copy_text(table_text(view, everything=everything))

    selected = QAction(_tr("&Copy"), view)
    selected.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
    selected.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    selected.setShortcutVisibleInContextMenu(True)
    selected.setToolTip(_tr("Copy the selected rows, or else all, for a spreadsheet"))
    selected.triggered.connect(lambda: put(False))
    whole = QAction(_tr("Copy the &table"), view)
    whole.triggered.connect(lambda: put(True))
    return [selected, whole]


def _title(view: QTableView, column: int) -> str:
    def role(wanted: int) -> Any:
        return view.model().headerData(column, Qt.Orientation.Horizontal, wanted)

    found = role(COPY_ROLE)
    return plain_text(str((role(Qt.ItemDataRole.DisplayRole) or "") if found is None else found))


def _cell(index: QModelIndex) -> str:
    found = index.data(COPY_ROLE)
    if found is None:
        found = index.data(Qt.ItemDataRole.DisplayRole)
    checked = index.data(Qt.ItemDataRole.CheckStateRole)
    if not found and checked is not None:
        return _tr("yes") if Qt.CheckState(checked) == Qt.CheckState.Checked else _tr("no")
    return "" if found is None else plain_text(str(found))
