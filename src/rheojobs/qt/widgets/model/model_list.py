"""The list of models as it drops down: each with its equation or its one line.

Knows how items are drawn and searched; must not know what a model is.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QCompleter, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from rheojobs.qt.widgets.common.colors import muted

__all__ = ["DESCRIPTION_ROLE", "EQUATION_ROLE", "SEARCH_ROLE", "ModelCompleter", "ModelDelegate"]

DESCRIPTION_ROLE = int(Qt.ItemDataRole.UserRole) + 1
SEARCH_ROLE = int(Qt.ItemDataRole.UserRole) + 2
"""Name, description and equation, in which is searched."""

EQUATION_ROLE = int(Qt.ItemDataRole.UserRole) + 3
"""Empty where the model has none."""

_MARGIN = 4
_Index = QModelIndex | QPersistentModelIndex


class ModelDelegate(QStyledItemDelegate):
    """Draws a name, and in passing what it is; an equation has the second line to itself."""

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
    """Searches names and descriptions for a part of a word; gives back the name."""

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
        """Return what is written into the field."""
        return str(index.data(Qt.ItemDataRole.DisplayRole))
