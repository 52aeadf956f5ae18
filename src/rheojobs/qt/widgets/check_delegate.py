"""A box to tick in a table that is seen on dark ground too. Knows the palette alone."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from rheojobs.qt.widgets.colors import is_dark, muted

__all__ = ["CheckDelegate"]


class CheckDelegate(QStyledItemDelegate):
    """Gives a box to tick an outline that stands out.

    Qt's own style draws it in the colour of the window, darkened: on a dark table it is gone.
    """

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Choose the colours of a cell."""
        super().initStyleOption(option, index)
        options: Any = option  # the stubs hide its fields
        palette = QPalette(options.palette)
        if is_dark(palette):
            palette.setColor(QPalette.ColorRole.Window, muted(palette).lighter(140))
            options.palette = palette
