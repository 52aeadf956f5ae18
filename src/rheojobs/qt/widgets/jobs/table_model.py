"""The jobs of an engine and of its store as a table model, updated at most 30 times a second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from rheojobs.engine import JobEngine
from rheojobs.engine.events import StateChanged
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.store.glance import Glance, StoreGlance
from rheojobs.qt.background import Background
from rheojobs.qt.deletion import when_deleted
from rheojobs.qt.thread_gate import ThreadGate
from rheojobs.qt.widgets.jobs.columns import JobColumn, Scope, cell_data, head_data
from rheojobs.qt.widgets.jobs.row_order import RowOrder
from rheojobs.qt.widgets.jobs.rows import (
    JobRow,
    describe,
    describe_unknown,
    row_of_job,
    row_of_seen,
)
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["JobTableModel"]

_FLUSH_MS = 34
_TICK_MS = 200
_TICKS_OF_AN_ESTIMATE = 5
_LOOK_MS = 1000
_MOST_EVENTS = 1000
"""Most events handled at a time, so that a flood of them does not block the window."""

_FEW = 16
"""Most rows that are removed one by one; for more the whole table is reset."""

_ROOT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class JobTableModel(QAbstractTableModel):
    """The jobs of an engine, and with a store those of other programs; by default newest first.

    Parameters
    ----------
    source : WorkerPool or JobEngine
        The source of the jobs; a job stays in the table after it has ended.
    parent : QObject, optional
        The Qt parent.
    hidden : iterable of str
        The names of jobs that are not shown.
    """

    _woken = Signal()

    def __init__(
        self,
        source: WorkerPool | JobEngine,
        parent: QObject | None = None,
        *,
        hidden: Iterable[str] = (),
    ) -> None:
        super().__init__(parent)
        self.engine = source.engine if isinstance(source, WorkerPool) else source
        self.background = Background(self)
        self._hidden = frozenset(hidden)
        self._rows: dict[str, JobRow] = {}
        self._all: list[JobRow] = []  # oldest first
        self._shown: list[JobRow] = []  # those of them that pass the filter
        self._running: dict[str, JobRow] = {}
        self._order = RowOrder()
        self._is_held = self._is_stale = False
        self._ticks = 0
        self._flush_timer = QTimer(self, singleShot=True, interval=_FLUSH_MS)
        self._flush_timer.timeout.connect(self.flush)
        self._ticker = QTimer(self, interval=_TICK_MS)
        self._ticker.timeout.connect(self._tick)
        self._gate = ThreadGate(self, self._woken, self._flush_timer.start)
        self._unsubscribe = self.engine.subscribe(self._gate.put)
        # Deleted by its parent: the engine must not call it any more.
        when_deleted(self, self._unsubscribe)
        self._add([self._kept(row_of_job(job), job) for job in self.engine.jobs()])
        store = self.engine.store
        self._glance = StoreGlance(store.path, store.owner.id) if store is not None else None
        self._is_looking = False
        self._look_timer = QTimer(self, interval=_LOOK_MS)
        self._look_timer.timeout.connect(self.look)
        self.set_watching(True)

    def close(self) -> None:
        """Stop listening to the engine and reading the store."""
        self._unsubscribe()
        self._gate.close()
        for timer in (self._flush_timer, self._ticker, self._look_timer):
            timer.stop()
        if self._glance is not None:
            self.background.do(self._glance.close)
        self.background.close()
        self._glance = None

    def row(self, job_id: str) -> JobRow | None:
        """Return the row of a job, shown or hidden."""
        return self._rows.get(job_id)

    def rows_between(self, first: int, last: int) -> Sequence[JobRow]:
        """Return the jobs of a range of rows, both ends included."""
        end = len(self._shown)
        return self._shown[end - 1 - last : end - first]

    def numbers_of(self, rows: Iterable[JobRow]) -> list[int]:
        """Return the row numbers of jobs, from the top; hidden ones are left out."""
        last = len(self._shown) - 1
        return sorted(last - row.place for row in rows if row.place >= 0)

    def index_of(self, job_id: str) -> QModelIndex:
        """Return the index of a job; an invalid index if it is hidden."""
        row = self._rows.get(job_id)
        if row is None or row.place < 0:
            return QModelIndex()
        return self.index(len(self._shown) - 1 - row.place, 0)

    # ---------------------------------------------------------------- the interface of Qt

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Count the jobs."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(JobColumn)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the title of a column."""
        return head_data(section, role) if orientation is Qt.Orientation.Horizontal else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the data of a cell."""
        if not index.isValid():
            return None
        row = self._shown[len(self._shown) - 1 - index.row()]
        return cell_data(row, index.column(), role)

    # ---------------------------------------------------------------- the filter

    def set_filter(self, text: str, scope: Scope = Scope.ALL) -> None:
        """Show only jobs that contain all these words, and that have ended or have not."""
        if self._order.set_filter(text, scope):
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the jobs by a column; among equals the newest is first."""
        if 0 <= column < len(JobColumn):
            is_descending = order == Qt.SortOrder.DescendingOrder
            self._order.set_sorting(JobColumn(column), is_descending)
            self._arrange()

    def set_held(self, is_held: bool) -> None:
        """Let no change move or hide a row, while the pointer is over the table; or do so again."""
        self._is_held = is_held
        if self._is_stale and not is_held:
            self._arrange()

    def has_running(self) -> bool:
        """Return whether any job runs, so that a time may remain."""
        return bool(self._running)

    def _arrange(self) -> None:
        self._is_stale = False
        shown = self._order.arranged(self._all)
        if shown == self._shown:  # usual when one more letter is typed
            return
        self.beginResetModel()
        for row in self._shown:
            row.place = -1
        self._shown = shown
        self._number_from(0)
        self.endResetModel()

    def _number_from(self, place: int) -> None:
        for number in range(place, len(self._shown)):
            self._shown[number].place = number

    # ---------------------------------------------------------------- news of engine and store

    def flush(self) -> None:
        """Show the events that have come from the engine."""
        changed: dict[str, JobRow] = {}
        born: list[JobRow] = []
        events, more = self._gate.take(_MOST_EVENTS)
        for event in events:
            row = self._rows.get(event.job_id)
            if isinstance(event, StateChanged) and event.previous is None:
                row = self._begin(event, row, born)
            if row is not None:
                row.take(event)
                changed[row.job_id] = row
        for row in born:
            changed.pop(row.job_id, None)
        self._add(born)
        self._update(changed.values())
        if more:
            self._flush_timer.start()

    def _begin(self, event: StateChanged, row: JobRow | None, born: list[JobRow]) -> JobRow | None:
        """Return the row of a job that is new to the engine, perhaps from the store."""
        if event.name in self._hidden:
            return None
        if row is None:
            row = JobRow(event.job_id, event.name, event.state)
            self._rows[row.job_id] = row
            born.append(row)
        elif not row.is_own:
            row.is_own, row.can_be_taken, row.pid, row.request = True, False, None, ""
            row.started = row.ended = row.estimate = None
        row.created = event.time
        try:
            job = self.engine.job(event.job_id)
        except KeyError:  # it has ended, and the engine has dropped it
            describe_unknown(row)
            return row
        describe(row, job)
        return self._kept(row, job)

    def _kept(self, row: JobRow, job: Job) -> JobRow:
        """Keep the task of a job if no store has it, so that it can be run again."""
        if self.engine.store is None or self.engine.store_problem:
            row.task = job.task
        return row

    def set_watching(self, watching: bool) -> None:
        """Start or stop reading the store at intervals."""
        if watching and self._glance is not None:
            self.look()
            self._look_timer.start()
        else:
            self._look_timer.stop()

    def look(self) -> None:
        """Read the store, in the background."""
        if self._glance is not None and not self._is_looking:
            self._is_looking = True
            self.background.do(self._glance.look, self._on_glance, self._on_blind)

    def _on_blind(self, _: str) -> None:
        self._is_looking = False  # the engine reports problems of the store

    def _on_glance(self, glance: Glance) -> None:
        self._is_looking = False
        changed, strange = [], []
        for seen in glance.news:
            row = self._rows.get(seen.stored.id)
            if row is None and seen.stored.name not in self._hidden:
                strange.append(row_of_seen(seen))
            elif row is not None and not row.is_own:
                row.take_seen(seen)
                changed.append(row)
            elif row is not None and not row.data:
                describe_unknown(row, seen)
                changed.append(row)
        self._update(changed)
        oldest = min((row.created for row in self._all), default=float("inf"))
        self._add([row for row in strange if row.created >= oldest])
        self._add([row for row in strange if row.created < oldest], are_old=True)
        self.drop(glance.gone)

    def drop(self, job_ids: Iterable[str]) -> None:
        """Remove jobs from the table."""
        gone = [row for job_id in job_ids if (row := self._rows.pop(job_id, None)) is not None]
        if not gone:
            return
        those = {row.job_id for row in gone}
        self._all = [row for row in self._all if row.job_id not in those]
        for row in gone:
            self._running.pop(row.job_id, None)
        self._hide([row for row in gone if row.place >= 0])

    # ---------------------------------------------------------------- changes of rows

    def _add(self, rows: list[JobRow], *, are_old: bool = False) -> None:
        for row in rows:
            self._rows[row.job_id] = row
        self._all = [*rows, *self._all] if are_old else [*self._all, *rows]
        if not self._order.is_newest_first:
            self._arrange()
        else:
            self._insert([row for row in rows if self._order.passes(row)], are_old)
        self._set_ticking(rows)

    def _insert(self, rows: list[JobRow], are_old: bool) -> None:
        if not rows:
            return
        first = len(self._shown) if are_old else 0
        self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
        if are_old:
            self._shown[:0] = rows
            self._number_from(0)
        else:
            self._shown += rows
            self._number_from(len(self._shown) - len(rows))
        self.endInsertRows()

    def _update(self, rows: Iterable[JobRow]) -> None:
        rows = list(rows)
        shown = [row for row in rows if row.place >= 0]
        leaving = [row for row in shown if not self._order.passes(row)]
        coming = any(row.place < 0 and self._order.passes(row) for row in rows)
        moves = coming or len(leaving) > _FEW or (bool(rows) and not self._order.is_newest_first)
        if self._is_held:
            self._is_stale = self._is_stale or moves or bool(leaving)
        elif moves:
            self._arrange()
        else:
            self._hide(leaving)
        self._tell_change([row for row in shown if row.place >= 0])
        self._set_ticking(rows)

    def _tell_change(self, rows: Sequence[JobRow]) -> None:
        if rows:
            last, places = len(self._shown) - 1, [row.place for row in rows]
            self.dataChanged.emit(
                self.index(last - max(places), 0),
                self.index(last - min(places), len(JobColumn) - 1),
            )

    def _hide(self, rows: list[JobRow]) -> None:
        if len(rows) > _FEW:
            self._arrange()
            return
        for row in rows:
            number = len(self._shown) - 1 - row.place
            self.beginRemoveRows(QModelIndex(), number, number)
            del self._shown[row.place]
            self._number_from(row.place)
            row.place = -1
            self.endRemoveRows()

    # ---------------------------------------------------------------- times that pass

    def _set_ticking(self, rows: Iterable[JobRow]) -> None:
        for row in rows:
            if row.ticks:
                if row.job_id not in self._running:
                    row.estimate_remaining()
                self._running[row.job_id] = row
            elif self._running.pop(row.job_id, None) is not None:
                row.estimate_remaining()
        if bool(self._running) != self._ticker.isActive():
            if self._ticker.isActive():
                self._ticker.stop()
            else:
                self._ticker.start()

    def _tick(self) -> None:
        self._ticks += 1
        last = len(self._shown) - 1
        for row in self._running.values():
            if self._ticks % _TICKS_OF_AN_ESTIMATE == 0:
                row.estimate_remaining()
            if row.place >= 0:
                number = last - row.place
                self.dataChanged.emit(
                    self.index(number, JobColumn.REMAINING), self.index(number, JobColumn.ELAPSED)
                )
