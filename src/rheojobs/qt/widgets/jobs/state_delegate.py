"""`StateDelegate`: draws the state of a job as a mark in its colour, and its name."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.common.colors import alarm, good, muted, series
from rheojobs.qt.widgets.jobs.columns import job_state
from rheojobs.qt.widgets.jobs.marks import draw_mark

__all__ = ["StateDelegate", "state_color", "state_mark"]

_S = JobState
_MARKS = {
    _S.QUEUED: "waits",
    _S.BLOCKED: "blocked",
    _S.RUNNING: "play",
    _S.PAUSED: "pause",
    _S.CANCELLING: "stop",
    _S.INTERRUPTED: "broken",
    _S.SUCCEEDED: "check",
    _S.FAILED: "cross",
    _S.CANCELLED: "slashed",
}
_SIDE = 11
_LEFT, _GAP, _RIGHT = 6, 7, 6


def state_mark(state: JobState) -> str:
    """Return the mark of a state: each state has another, so that it is seen in grey too."""
    return _MARKS[state]


def state_color(state: JobState, palette: QPalette) -> QColor:
    """Return the colour of the mark of a state."""
    if state is _S.FAILED:
        return alarm(palette)
    if state is _S.SUCCEEDED:
        return good(palette)
    if state is _S.RUNNING:
        return series(palette, 0)
    if state in (_S.PAUSED, _S.CANCELLING, _S.INTERRUPTED):
        return series(palette, 1)
    return muted(palette)


class StateDelegate(QStyledItemDelegate):
    """Draws a mark, and beside it the name of the state."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the cell."""
        options: Any = QStyleOptionViewItem(option)  # the stubs hide its fields
        self.initStyleOption(options, index)
        state = job_state(index)
        text, options.text = options.text, ""
        style, palette, roles = options.widget.style(), options.palette, QPalette.ColorRole
        style.drawControl(style.ControlElement.CE_ItemViewItem, options, painter, options.widget)
        is_selected = bool(options.state & style.StateFlag.State_Selected)
        color = state_color(state, palette)
        if is_selected:
            color = palette.color(roles.HighlightedText)
        rect = options.rect
        top = rect.center().y() - _SIDE / 2 + 1
        draw_mark(painter, _MARKS[state], QRectF(rect.left() + _LEFT, top, _SIDE, _SIDE), color)
        words = rect.adjusted(_LEFT + _SIDE + _GAP, 0, -2, 0)
        if state is not _S.FAILED and not is_selected:
            color = palette.color(roles.Text)
        painter.save()
        painter.setPen(color)
        elided = options.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), elided)
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size of mark and name."""
        options: Any = QStyleOptionViewItem(option)
        self.initStyleOption(options, index)
        width = options.fontMetrics.horizontalAdvance(options.text)
        return QSize(
            _LEFT + _SIDE + _GAP + width + _RIGHT, super().sizeHint(option, index).height()
        )
