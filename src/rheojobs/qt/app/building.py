"""The small parts that a window is put together from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QGroupBox, QMainWindow, QSplitter, QVBoxLayout, QWidget

__all__ = ["action", "group", "splitter"]


def splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    """Put widgets side by side, with a line between that can be drawn."""
    parts = QSplitter(orientation)
    parts.setChildrenCollapsible(False)
    for widget in widgets:
        parts.addWidget(widget)
    return parts


def group(title: str, *widgets: QWidget) -> QGroupBox:
    """Put widgets under a title."""
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    for widget in widgets:
        layout.addWidget(widget)
    return box


def action(window: QMainWindow, text: str, keys: str, slot: object) -> QAction:
    """Make an action with its keys."""
    made = QAction(text, window)
    made.setShortcut(QKeySequence(keys))
    made.triggered.connect(slot)
    return made
