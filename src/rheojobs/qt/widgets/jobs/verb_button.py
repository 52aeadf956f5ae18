"""`VerbButton`: a small button that shows an action as a mark; its tool tip names the action."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QRectF, QSize, Qt
from qtpy.QtGui import QAction, QColor, QPaintEvent, QPalette
from qtpy.QtWidgets import (
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from rheojobs.qt.widgets.jobs.marks import draw_mark

__all__ = ["VerbButton", "set_mark"]

_PROPERTY = "rheojobs-mark"
_TEXT = QPalette.ColorRole.ButtonText
_SIDE = 14
_PADDING = 6


def set_mark(action: QAction, mark: str) -> None:
    """Set the mark that buttons of an action show, one of `marks.MARKS`."""
    action.setProperty(_PROPERTY, mark)


class VerbButton(QToolButton):
    """A button of an action that has a mark; one without a mark shows its text.

    It paints the mark itself, so that it follows a change of the palette.
    """

    def __init__(self, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark = str(action.property(_PROPERTY) or "")
        self.setDefaultAction(action)
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(action.text().replace("&", ""))

    def sizeHint(self) -> QSize:
        """Return the size of the mark with its margins."""
        side = _SIDE + 2 * _PADDING
        return QSize(side, side) if self._mark else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the same: it is never cut."""
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:
        """Paint again when the palette changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button with its mark instead of its text."""
        if not self._mark:
            super().paintEvent(event)
            return
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        rect = QRectF(self.rect())
        rect.setSize(rect.size() * (_SIDE / max(rect.width(), rect.height())))
        rect.moveCenter(QRectF(self.rect()).center())
        draw_mark(painter, self._mark, rect, self._color())

    def _color(self) -> QColor:
        color = QColor(self.palette().color(QPalette.ColorGroup.Active, _TEXT))
        color.setAlphaF(1.0 if self.isEnabled() else 0.3)
        return color
