"""Check boxes that are visible on a dark background too, in tables and alone.

Qt's own style draws them in the colour of the window, darkened: invisible on a dark background.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QModelIndex, QPersistentModelIndex
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import (
    QCheckBox,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
)

from rheojobs.qt.widgets.common.colors import is_dark, muted

__all__ = ["CheckBox", "CheckDelegate"]


class CheckBox(QCheckBox):
    """A check box with a text."""

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        """Set the colours."""
        super().initStyleOption(option)
        _outline(option)


class CheckDelegate(QStyledItemDelegate):
    """Check boxes in a table."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Set the colours of a cell."""
        super().initStyleOption(option, index)
        _outline(option)


def _outline(option: Any) -> None:  # the stubs hide its fields
    palette = QPalette(option.palette)
    if is_dark(palette):
        palette.setColor(QPalette.ColorRole.Window, muted(palette).lighter(140))
        option.palette = palette
