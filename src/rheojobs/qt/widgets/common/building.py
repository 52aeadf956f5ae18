"""Functions that build the small parts of a window: splitters, titled groups, tables, actions."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import (
    QGroupBox,
    QMainWindow,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

__all__ = ["action", "group", "splitter", "style_table"]


def splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    """Put widgets side by side in a splitter."""
    parts = QSplitter(orientation)
    parts.setChildrenCollapsible(False)
    for widget in widgets:
        parts.addWidget(widget)
    return parts


def group(title: str, *widgets: QWidget) -> QGroupBox:
    """Put widgets below a title."""
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    for widget in widgets:
        layout.addWidget(widget)
    return box


def style_table(table: QTableView, space: int = 8) -> None:
    """Give a table the looks of all: no grid, no titles of rows; Tab leaves it.

    Parameters
    ----------
    table : QTableView
        The table.
    space : int
        Pixels between the lines of text.
    """
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    rows = table.verticalHeader()
    rows.hide()
    rows.setDefaultSectionSize(table.fontMetrics().height() + space)


def action(
    window: QMainWindow,
    text: str,
    keys: str | QKeySequence.StandardKey,
    slot: object,
    otherwise: str = "",
) -> QAction:
    """Make an action with its shortcut.

    Parameters
    ----------
    window : QMainWindow
        Its parent.
    text : str
        Its name in the menu.
    keys : str or QKeySequence.StandardKey
        The keys; those of the platform for a standard key.
    slot : callable
        Called when it is triggered.
    otherwise : str
        For a standard key: the keys to show of several, or if the platform has none.
    """
    made = QAction(text, window)
    if isinstance(keys, str):
        made.setShortcut(QKeySequence(keys))
    else:
        usual = QKeySequence.keyBindings(keys) or [QKeySequence(otherwise)]
        made.setShortcuts(sorted(usual, key=lambda each: each != QKeySequence(otherwise)))
    made.triggered.connect(slot)
    return made
