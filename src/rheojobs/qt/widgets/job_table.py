"""The table of jobs, with a bar for what is under way; cancels what is selected.

Knows `JobTableModel` alone.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine import JobEngine
from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.job_model import (
    FRACTION_ROLE,
    JOB_ID_ROLE,
    JobColumn,
    JobTableModel,
    job_state,
)
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["JobTable", "ProgressDelegate"]

_BAR_WIDTH = 150
_BAR_HEIGHT = 6


class ProgressDelegate(QStyledItemDelegate):
    """Draws a thin bar, and beside it the words."""

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
        has_bar = fraction is not None and state is not JobState.FAILED
        rect = options.rect
        text, options.text = options.text, ""
        style = options.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, options, painter, options.widget)
        left = rect.left() + 6
        palette, roles = options.palette, QPalette.ColorRole
        selected = bool(options.state & style.StateFlag.State_Selected)
        if has_bar:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            middle = rect.center().y() - _BAR_HEIGHT // 2 + 1
            groove = QRect(left, middle, _BAR_WIDTH, _BAR_HEIGHT)
            radius = _BAR_HEIGHT / 2
            painter.setBrush(palette.color(roles.Midlight if not selected else roles.Window))
            painter.drawRoundedRect(groove, radius, radius)
            stopped = state is JobState.CANCELLED
            painter.setBrush(palette.color(roles.Mid if stopped else roles.Highlight))
            if selected and not stopped:
                painter.setBrush(palette.color(roles.HighlightedText))
            groove.setWidth(max(_BAR_HEIGHT, round(_BAR_WIDTH * fraction)) if fraction else 0)
            if fraction:
                painter.drawRoundedRect(groove, radius, radius)
            painter.restore()
            left += _BAR_WIDTH + 10
        words = rect.adjusted(left - rect.left(), 0, -4, 0)
        elided = options.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, words.width())
        role = roles.HighlightedText if selected else roles.Text
        style.drawItemText(
            painter, words, int(Qt.AlignmentFlag.AlignVCenter), palette, True, elided, role
        )


class JobTable(QWidget):
    """Shows the jobs of a pool or an engine.

    Parameters
    ----------
    source : WorkerPool, JobEngine or JobTableModel
        Whose jobs are shown.
    parent : QWidget, optional
        The Qt parent.

    Attributes
    ----------
    model : JobTableModel
        The jobs.
    view : QTableView
        The table itself.
    cancel_button : QPushButton
        Cancels the jobs that are selected.
    """

    def __init__(
        self, source: WorkerPool | JobEngine | JobTableModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.model = source if isinstance(source, JobTableModel) else JobTableModel(source, self)
        self.view = QTableView(self)
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(JobColumn.PROGRESS, ProgressDelegate(self.view))
        self.view.setAccessibleName(self.tr("Jobs"))
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setWordWrap(False)
        self.view.setTabKeyNavigation(False)
        self.view.setFrameShape(QTableView.Shape.NoFrame)
        self.view.verticalHeader().hide()
        height = self.fontMetrics().height() + 8
        self.view.verticalHeader().setDefaultSectionSize(height)
        header = self.view.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(JobColumn.PROGRESS, QHeaderView.ResizeMode.Stretch)
        width = self.fontMetrics().averageCharWidth()
        for column, characters in ((JobColumn.NAME, 40), (JobColumn.STATE, 14)):
            self.view.setColumnWidth(column, width * characters)
        self.view.setColumnWidth(JobColumn.ELAPSED, width * 13)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self._cancel_action = QAction(self.tr("Cancel job"), self)
        self._cancel_action.setShortcut(QKeySequence(Qt.Key.Key_Delete))
        self._cancel_action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._cancel_action.triggered.connect(self.cancel_selected)
        self.view.addAction(self._cancel_action)
        self.cancel_button = QPushButton(self.tr("Cancel job"), self)
        self.cancel_button.setToolTip(self.tr("Stop the selected jobs (Del)"))
        self.cancel_button.clicked.connect(self.cancel_selected)
        title = QLabel(self.tr("Jobs"), self)
        title.setBuddy(self.view)
        top = QHBoxLayout()
        top.setContentsMargins(6, 4, 6, 0)
        top.addWidget(title, 1)
        top.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.view)
        self.view.selectionModel().selectionChanged.connect(self._refresh)
        self.model.dataChanged.connect(self._refresh)
        self._refresh()

    def selected_jobs(self) -> list[str]:
        """Give the ids of the selected jobs."""
        rows = self.view.selectionModel().selectedRows()
        return [str(index.data(JOB_ID_ROLE)) for index in rows]

    def cancel_selected(self) -> None:
        """Ask the selected jobs to stop."""
        for job_id in self.selected_jobs():
            self.model.cancel(job_id)

    def _refresh(self, *_: object) -> None:
        rows = self.view.selectionModel().selectedRows()
        states = [job_state(index) for index in rows]
        can_stop = any(not s.is_terminal and s is not JobState.CANCELLING for s in states)
        self.cancel_button.setEnabled(can_stop)
        self._cancel_action.setEnabled(can_stop)

    def _show_menu(self, position: QPoint) -> None:
        if not self.view.indexAt(position).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self._cancel_action)
        menu.popup(self.view.viewport().mapToGlobal(position))
