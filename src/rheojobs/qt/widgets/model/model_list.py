"""Draws and searches the drop-down list of models: each has an equation or a description."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QCompleter, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from rheojobs.qt.widgets.common.colors import muted

__all__ = ["DESCRIPTION_ROLE", "EQUATION_ROLE", "SEARCH_ROLE", "ModelCompleter", "ModelDelegate"]

DESCRIPTION_ROLE = int(Qt.ItemDataRole.UserRole) + 1
SEARCH_ROLE = int(Qt.ItemDataRole.UserRole) + 2
"""Name, description and equation: the text that is searched."""

EQUATION_ROLE = int(Qt.ItemDataRole.UserRole) + 3
"""The equation; empty if the model has none."""

_MARGIN = 4
_Index = QModelIndex | QPersistentModelIndex


class ModelDelegate(QStyledItemDelegate):
    """Draws a name, and a description in secondary colour; an equation has its own line."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw an item."""
        options = QStyleOptionViewItem(option)
        self.initStyleOption(options, index)
        options.text = ""
        widget = options.widget
        palette, rect = options.palette, options.rect
        state = options.state
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, options, painter, widget)
        enabled = bool(state & QStyle.StateFlag.State_Enabled)
        chosen = bool(state & QStyle.StateFlag.State_Selected) and enabled
        color = palette.highlightedText() if chosen else palette.text()
        metrics = options.fontMetrics
        height = metrics.height()
        line = QRect(rect.left() + _MARGIN, rect.top() + 2, rect.width() - 2 * _MARGIN, height)
        below = line.translated(0, height)
        name = str(index.data())
        told, equation = (str(index.data(role) or "") for role in (DESCRIPTION_ROLE, EQUATION_ROLE))
        beside = line.adjusted(metrics.horizontalAdvance(name) + 3 * _MARGIN, 0, 0, 0)
        painter.save()
        painter.setPen(color.color() if enabled else muted(palette))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, name)
        painter.setPen(color.color() if chosen else muted(palette))
        places = ((beside, told), (below, equation)) if equation else ((below, told),)
        for place, text in places:
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return room for two lines."""
        size = super().sizeHint(option, index)
        metrics = option.fontMetrics
        return QSize(size.width(), 2 * metrics.height() + 5)


class ModelCompleter(QCompleter):
    """Searches names and descriptions for a part of a word, and completes to the name."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.setFilterMode(Qt.MatchFlag.MatchContains)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.setCompletionRole(SEARCH_ROLE)
        self.setMaxVisibleItems(12)
        popup = self.popup()
        assert popup is not None
        popup.setItemDelegate(ModelDelegate(popup))

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        """Return the text that is written into the field."""
        return str(index.data(Qt.ItemDataRole.DisplayRole))
