"""`ProgressDelegate`: draws the cell of a job's progress, as a text over a thin bar."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPalette
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.jobs.columns import FRACTION_ROLE, job_state

__all__ = ["ProgressDelegate"]

_BAR_HEIGHT = 3
_LEFT, _RIGHT = 6, 4


class ProgressDelegate(QStyledItemDelegate):
    """Draws a text over the whole width, and below it a thin bar.

    A job that has ended has no bar: its state says it, and a fit ends long before its limit.
    """

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the cell."""
        options: Any = QStyleOptionViewItem(option)  # the stubs hide its fields
        self.initStyleOption(options, index)
        fraction = index.data(FRACTION_ROLE)
        text, options.text = options.text, ""
        style = options.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, options, painter, options.widget)
        rect = options.rect.adjusted(_LEFT, 0, -_RIGHT, 0)
        palette, roles = options.palette, QPalette.ColorRole
        selected = bool(options.state & style.StateFlag.State_Selected)
        role = roles.HighlightedText if selected else roles.Text
        if fraction is not None:
            is_idle = job_state(index) is not JobState.RUNNING and not selected
            _draw_bar(
                painter,
                QRectF(rect.left(), rect.bottom() - _BAR_HEIGHT, rect.width(), _BAR_HEIGHT),
                fraction,
                palette.color(role if selected or is_idle else roles.Highlight),
                0.5 if is_idle else 1.0,
            )
            rect.adjust(0, 0, 0, -2)
        elided = options.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        align = int(Qt.AlignmentFlag.AlignVCenter)
        style.drawItemText(painter, rect, align, palette, True, elided, role)


def _draw_bar(
    painter: QPainter, groove: QRectF, fraction: float, color: QColor, strength: float
) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    radius = groove.height() / 2
    for share, alpha in ((1.0, 0.2), (fraction, strength)):
        color.setAlphaF(alpha)
        painter.setBrush(color)
        part = QRectF(groove)
        part.setWidth(max(groove.height(), groove.width() * share) if share else 0.0)
        painter.drawRoundedRect(part, radius, radius)
    painter.restore()
