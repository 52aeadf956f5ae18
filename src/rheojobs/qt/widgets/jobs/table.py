"""`JobTable`: the table of jobs, with a filter and a bar of actions for the selected jobs."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from qtpy.QtGui import QAction, QHideEvent, QKeySequence, QShortcut, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from rheojobs.engine import JobEngine
from rheojobs.qt.widgets.common.building import style_table
from rheojobs.qt.widgets.common.copying import make_copyable
from rheojobs.qt.widgets.jobs.actions import JobActions
from rheojobs.qt.widgets.jobs.columns import JOB_ID_ROLE, JobColumn, Scope, head_texts
from rheojobs.qt.widgets.jobs.details_dialog import JobDetailsDialog
from rheojobs.qt.widgets.jobs.progress_delegate import ProgressDelegate
from rheojobs.qt.widgets.jobs.rows import JobRow
from rheojobs.qt.widgets.jobs.state_delegate import StateDelegate
from rheojobs.qt.widgets.jobs.table_model import JobTableModel
from rheojobs.qt.widgets.jobs.verb_button import VerbButton
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["JobTable"]

_REFRESH_MS = 60
_MOST_RUNS = 100
"""Most ranges of selected rows that a filter restores: each slows down drawing a cell."""

_WIDEST = {
    JobColumn.STATE: "interrupted",
    JobColumn.NAME: "sample ldpe_melt_i_150C",
    JobColumn.MODEL: "fractional_maxwell_model",
    JobColumn.SUBMITTED: "Nov 2025",
    JobColumn.REMAINING: "≈ 59 min",
    JobColumn.ELAPSED: "59 min 59 s",
}
"""A long text of each column, which sets its width at first; the progress has the rest."""

_MARGIN = 10
_MARK = 19
"""Pixels of the mark of a state, and of the arrow beside the title of a sorted column."""


class JobTable(QWidget):
    """Shows the jobs of a pool or an engine.

    Parameters
    ----------
    source : WorkerPool, JobEngine or JobTableModel
        The source of the jobs.
    parent : QWidget, optional
        The Qt parent.
    hidden : iterable of str
        The names of jobs that are not shown.

    Attributes
    ----------
    model : JobTableModel
        The jobs.
    view : QTableView
        The table itself.
    filter : QLineEdit
        Words that the shown jobs contain.
    scope : QComboBox
        All jobs, those that have not ended, or those that have.
    verbs : JobActions
        The actions for the selected jobs.
    chosen : QLabel
        What the actions act on.
    cancel_button : VerbButton
        Cancels the selected jobs.
    activated : Signal(str)
        The id of a job that was double-clicked, or on which Enter was pressed.
    """

    activated = Signal(str)

    def __init__(
        self,
        source: WorkerPool | JobEngine | JobTableModel,
        parent: QWidget | None = None,
        *,
        hidden: Iterable[str] = (),
    ) -> None:
        super().__init__(parent)
        if not isinstance(source, JobTableModel):
            source = JobTableModel(source, self, hidden=hidden)
        self.model = source
        self.view = self._make_view()
        self.verbs = JobActions(self.model, self.selected_rows, self.view)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter of the jobs"))
        keys = QKeySequence(QKeySequence.StandardKey.Find)
        words = self.tr("Words in the job, the model or the data ({keys})")
        self.filter.setToolTip(words.format(keys=keys.toString()))
        self.filter.setMaximumWidth(self.fontMetrics().averageCharWidth() * 26)
        self.scope = QComboBox(self)
        self.scope.addItems([self.tr("All jobs"), self.tr("Not ended"), self.tr("Ended")])
        self.scope.setAccessibleName(self.tr("Which jobs are shown"))
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(0)
        self.chosen = QLabel(self)
        self.chosen.setAccessibleName(self.tr("What the actions act on"))
        act = self.verbs
        self.details = act.add(
            self.tr("&Details…"),
            "Alt+Return",
            self.tr("Show the times, the states and the error of the selected job"),
            lambda _: True,
            self._show_details,
            "details",
        )
        for action in (act.resume, act.pause):
            self._add_button(action)
        self.cancel_button = self._add_button(act.cancel)
        for action in (act.retry, act.remove, self.details):
            self._add_button(action)
        self.view.addActions(act.all())
        self._copying = make_copyable(self.view)
        self._lay_out()
        self._selected: list[JobRow] = []
        self._refresh_timer = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._refresh_timer.timeout.connect(self._refresh)
        self._is_at_top, self._pushed = True, 0
        self._connect()
        self._refresh()

    def _make_view(self) -> QTableView:
        view = QTableView(self)
        view.setModel(self.model)
        view.setItemDelegateForColumn(JobColumn.STATE, StateDelegate(view))
        view.setItemDelegateForColumn(JobColumn.PROGRESS, ProgressDelegate(view))
        view.setAccessibleName(self.tr("Jobs"))
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        style_table(view)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setFrameShape(QTableView.Shape.NoFrame)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        # One height for all rows: measuring thousands would be slow.
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = view.horizontalHeader()
        header.setObjectName("columns of jobs")
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSortIndicator(JobColumn.SUBMITTED, Qt.SortOrder.DescendingOrder)
        view.setSortingEnabled(True)
        # With the view's own header, each redraw makes Qt check for every selected row
        # whether the selection fills the column.
        header.setSelectionModel(QItemSelectionModel(self.model, header))
        header.setSectionResizeMode(JobColumn.PROGRESS, QHeaderView.ResizeMode.Stretch)
        metrics = self.fontMetrics()
        for column, text in _WIDEST.items():
            width = metrics.horizontalAdvance(text) + _MARK * (column == JobColumn.STATE)
            title = metrics.horizontalAdvance(head_texts()[column]) + _MARK
            view.setColumnWidth(column, max(width, title) + _MARGIN)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        return view

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Jobs"), self)
        title.setBuddy(self.view)
        top = QHBoxLayout()
        top.setContentsMargins(6, 4, 6, 0)
        top.addWidget(title)
        top.addWidget(self.filter, 1)
        top.addWidget(self.scope)
        top.addStretch(1)
        top.addWidget(self.chosen)
        top.addLayout(self._buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.view)

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filter)
        self.scope.currentIndexChanged.connect(self._filter)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setWhatsThis(self.tr("Find jobs"))
        find.activated.connect(self.filter.setFocus)
        clear = QShortcut(QKeySequence("Esc"), self.filter)
        clear.setContext(Qt.ShortcutContext.WidgetShortcut)
        clear.activated.connect(self.filter.clear)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.activated.connect(lambda i: self.activated.emit(i.data(JOB_ID_ROLE)))
        self.view.selectionModel().selectionChanged.connect(self._refresh_soon)
        self.model.dataChanged.connect(self._refresh_soon)
        self.model.modelAboutToBeReset.connect(self._remember)
        self.model.modelReset.connect(self._select_again)
        self.model.rowsInserted.connect(self._stay)
        self.model.rowsInserted.connect(self._refresh_soon)
        self.view.viewport().installEventFilter(self)

    def add(self, action: QAction) -> None:
        """Offer another action of `verbs` by key, menu and button."""
        self.view.addAction(action)
        self._add_button(action)

    def _add_button(self, action: QAction) -> VerbButton:
        button = VerbButton(action, self)
        self._buttons.addWidget(button)
        return button

    def selected_rows(self) -> list[JobRow]:
        """Return the selected jobs."""
        ranges = self.view.selectionModel().selection()
        found: list[JobRow] = []
        for number in range(ranges.count()):
            each = ranges[number]  # type: ignore[index]  # `at` is PySide's alone
            found += self.model.rows_between(each.top(), each.bottom())
        return found

    def select(self, job_id: str) -> None:
        """Select a job that is shown, and scroll to it."""
        index = self.model.index_of(job_id)
        if index.isValid():
            chosen = self.view.selectionModel()
            flag = chosen.SelectionFlag
            chosen.setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
            self.view.scrollTo(index)

    def close_down(self) -> None:
        """Stop watching the jobs."""
        self.verbs.close()
        self.model.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Start reading the store when the table becomes visible."""
        super().showEvent(event)
        self.model.set_watching(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop reading the store."""
        super().hideEvent(event)
        self.model.set_watching(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the rows where they are while the pointer is over them."""
        if event.type() == QEvent.Type.Enter:
            self._is_at_top = self.view.verticalScrollBar().value() == 0
            self.model.set_held(True)
        elif event.type() == QEvent.Type.Leave:
            self.model.set_held(False)
            if self._is_at_top and self.view.verticalScrollBar().value() <= self._pushed:
                self.view.scrollToTop()
            self._pushed = 0
        return super().eventFilter(watched, event)

    def _stay(self, _: QModelIndex, first: int, last: int) -> None:
        """Scroll on when jobs come in above, so that the shown ones stay where they are."""
        bar = self.view.verticalScrollBar()
        if first > 0 or (bar.value() == 0 and not self.view.viewport().underMouse()):
            return
        count = last - first + 1
        value = bar.value() + count
        self.view.doItemsLayout()  # else the bar does not know of the new rows yet
        bar.setValue(value)
        self._pushed += count

    def _refresh(self) -> None:
        """Enable the actions, name what they act on, and hide the columns that are empty."""
        self.verbs.refresh()
        rows = self.selected_rows()
        text = self.tr("No job selected")
        if len(rows) == 1:
            text = self.tr("1 job selected:")
        elif rows:
            text = self.tr("{count} jobs selected:").format(count=len(rows))
        self.chosen.setText(text)
        self.view.setColumnHidden(JobColumn.REMAINING, not self.model.has_running())

    def _show_details(self, rows: list[JobRow]) -> None:
        if rows:
            JobDetailsDialog(rows[0], self.model, self.verbs.control, self).show()

    def _filter(self, *_: object) -> None:
        self.model.set_filter(self.filter.text(), Scope(self.scope.currentIndex()))

    def _remember(self) -> None:
        self._selected = self.selected_rows()

    def _select_again(self) -> None:
        """Restore the selection after the rows were reset."""
        runs = _runs(self.model.numbers_of(self._selected))
        again = QItemSelection()
        for first, last in runs if len(runs) <= _MOST_RUNS else []:
            again.select(self.model.index(first, 0), self.model.index(last, 0))
        chosen = self.view.selectionModel()
        flag = chosen.SelectionFlag
        chosen.select(again, flag.Select | flag.Rows)
        self._refresh_soon()

    def _refresh_soon(self, *_: object) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _show_menu(self, position: QPoint) -> None:
        if not self.view.indexAt(position).isValid():
            return
        self.verbs.refresh()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.verbs.all())
        menu.addSeparator()
        menu.addActions(self._copying)
        menu.popup(self.view.viewport().mapToGlobal(position))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return the first and the last of each range of rows: selecting single rows is slow."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
