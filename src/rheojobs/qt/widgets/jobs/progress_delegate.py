"""`ProgressDelegate`: draws the cell of a job's progress, as a thin bar and a text."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from qtpy.QtGui import QPainter, QPalette
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.jobs.columns import FRACTION_ROLE, job_state

__all__ = ["ProgressDelegate"]

_BAR_WIDTH = 64
_BAR_HEIGHT = 6
_LEFT, _GAP, _RIGHT = 6, 10, 4


class ProgressDelegate(QStyledItemDelegate):
    """Draws a thin bar, and beside it a text."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the cell."""
        options: Any = QStyleOptionViewItem(option)  # the stubs hide its fields
        self.initStyleOption(options, index)
        fraction, state = index.data(FRACTION_ROLE), job_state(index)
        has_bar = _has_bar(index)
        rect = options.rect
        text, options.text = options.text, ""
        style = options.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, options, painter, options.widget)
        left = rect.left() + _LEFT
        palette, roles = options.palette, QPalette.ColorRole
        selected = bool(options.state & style.StateFlag.State_Selected)
        if has_bar:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            middle = rect.center().y() - _BAR_HEIGHT // 2 + 1
            groove = QRect(left, middle, _BAR_WIDTH, _BAR_HEIGHT)
            radius = _BAR_HEIGHT / 2
            ground = palette.color(roles.HighlightedText if selected else roles.Midlight)
            if selected:
                ground.setAlpha(70)  # the part that is done stands out
            painter.setBrush(ground)
            painter.drawRoundedRect(groove, radius, radius)
            stopped = state is JobState.CANCELLED
            painter.setBrush(palette.color(roles.Mid if stopped else roles.Highlight))
            if selected and not stopped:
                painter.setBrush(palette.color(roles.HighlightedText))
            groove.setWidth(max(_BAR_HEIGHT, round(_BAR_WIDTH * fraction)) if fraction else 0)
            if fraction:
                painter.drawRoundedRect(groove, radius, radius)
            painter.restore()
            left += _BAR_WIDTH + _GAP
        words = rect.adjusted(left - rect.left(), 0, -_RIGHT, 0)
        elided = options.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, words.width())
        role = roles.HighlightedText if selected else roles.Text
        style.drawItemText(
            painter, words, int(Qt.AlignmentFlag.AlignVCenter), palette, True, elided, role
        )


def _has_bar(index: QModelIndex | QPersistentModelIndex) -> bool:
    return index.data(FRACTION_ROLE) is not None and job_state(index) is not JobState.FAILED
