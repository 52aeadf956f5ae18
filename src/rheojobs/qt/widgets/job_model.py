"""The jobs of an engine as a table model: events are gathered, and shown at most 30 times a second.

Knows the engine's events; must not know what the jobs compute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from rheojobs.engine import JobEngine
from rheojobs.engine.events import JobEvent, Progress, ProgressMade, StateChanged
from rheojobs.engine.job import Job
from rheojobs.engine.states import STATES, JobState
from rheojobs.qt.widgets.texts import duration
from rheojobs.qt.worker_pool import WorkerPool

__all__ = [
    "FRACTION_ROLE",
    "JOB_ID_ROLE",
    "STATE_ROLE",
    "JobColumn",
    "JobTableModel",
    "job_state",
]

FRACTION_ROLE = Qt.ItemDataRole.UserRole + 1
"""How much of the present stage is done, 0 to 1; None where that is not known."""

JOB_ID_ROLE = Qt.ItemDataRole.UserRole + 2
STATE_ROLE = Qt.ItemDataRole.UserRole + 3

_FLUSH_MS = 34
_TICK_MS = 200
_ROOT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


def job_state(index: _Index) -> JobState:
    """Give the state of the job at an index, of which Qt makes a plain string."""
    return JobState(index.data(STATE_ROLE))


class JobColumn(IntEnum):
    """What the columns show."""

    NAME = 0
    STATE = 1
    PROGRESS = 2
    ELAPSED = 3


@dataclass(slots=True)
class _Row:
    job_id: str
    name: str
    state: JobState
    progress: Progress | None = None
    message: str = ""
    started: float | None = None
    ended: float | None = None

    def take(self, event: JobEvent) -> None:
        if isinstance(event, ProgressMade):
            self.progress = event.progress
        elif isinstance(event, StateChanged):
            self.state = event.state
            self.message = event.message
            if event.state is JobState.RUNNING and self.started is None:
                self.started = event.time
            elif event.state.is_terminal:
                self.ended = event.time

    @property
    def ticks(self) -> bool:
        return self.started is not None and self.ended is None

    @property
    def elapsed(self) -> float | None:
        if self.started is None:
            return None
        return (self.ended if self.ended is not None else time.time()) - self.started

    @property
    def fraction(self) -> float | None:
        if self.state is JobState.SUCCEEDED:
            return 1.0
        if self.progress is None or self.progress.total <= 0:
            return None
        return min(1.0, self.progress.current / self.progress.total)


class _Inbox:
    """Takes events in a thread of the engine's; outlives the model's C++ object, then is silent."""

    def __init__(self, knock: Callable[[], None]) -> None:
        self._knock: Callable[[], None] | None = knock
        self._lock = threading.Lock()
        self._events: list[JobEvent] = []

    def put(self, event: JobEvent) -> None:
        with self._lock:
            self._events.append(event)
            if len(self._events) == 1 and self._knock is not None:
                self._knock()

    def take(self) -> list[JobEvent]:
        with self._lock:
            events, self._events = self._events, []
        return events

    def close(self, *_: object) -> None:
        with self._lock:
            self._knock = None


class JobTableModel(QAbstractTableModel):
    """The jobs of an engine, the newest first.

    Parameters
    ----------
    source : WorkerPool or JobEngine
        Whose jobs are shown; a job stays in the table after it has ended.
    parent : QObject, optional
        The Qt parent.
    """

    _knocked = Signal()

    def __init__(self, source: WorkerPool | JobEngine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = source.engine if isinstance(source, WorkerPool) else source
        self._rows: list[_Row] = []  # the oldest first
        self._places: dict[str, int] = {}
        self._flush_timer = QTimer(self, singleShot=True, interval=_FLUSH_MS)
        self._flush_timer.timeout.connect(self.flush)
        self._ticker = QTimer(self, interval=_TICK_MS)
        self._ticker.timeout.connect(self._tick)
        self._knocked.connect(self._flush_timer.start, Qt.ConnectionType.QueuedConnection)
        inbox = _Inbox(self._knocked.emit)
        self._inbox = inbox
        unsubscribe = self._engine.subscribe(inbox.put)
        self._unsubscribe = unsubscribe
        # Deleted by its parent: the engine must not reach for it any more.
        self.destroyed.connect(inbox.close)
        self.destroyed.connect(unsubscribe)
        for job in self._engine.jobs():
            self._add([self._row_of(job)])

    def close(self) -> None:
        """Listen no more to the engine."""
        self._unsubscribe()
        self._inbox.close()
        self._flush_timer.stop()
        self._ticker.stop()

    def cancel(self, job_id: str) -> bool:
        """Ask a job to stop; False where it has ended."""
        try:
            return self._engine.job(job_id).cancel()
        except KeyError:
            return False

    # ---------------------------------------------------------------- what Qt asks

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Count the jobs."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(JobColumn)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name the columns."""
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (self.tr("Job"), self.tr("State"), self.tr("Progress"), self.tr("Elapsed"))[section]

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        if not index.isValid():
            return None
        row = self._rows[len(self._rows) - 1 - index.row()]
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return STATES[row.state].meaning if column == JobColumn.STATE else row.message or None
        if role == Qt.ItemDataRole.TextAlignmentRole and column == JobColumn.ELAPSED:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == FRACTION_ROLE:
            return row.fraction
        if role == STATE_ROLE:
            return str(row.state)
        return row.job_id if role == JOB_ID_ROLE else None

    def _text(self, row: _Row, column: int) -> str:
        if column == JobColumn.NAME:
            return row.name
        if column == JobColumn.STATE:
            return str(row.state)
        if column == JobColumn.ELAPSED:
            return "" if row.elapsed is None else duration(row.elapsed)
        if row.state.is_terminal:
            return row.message
        return row.progress.message if row.progress is not None else STATES[row.state].meaning

    # ---------------------------------------------------------------- what the engine tells

    def flush(self) -> None:
        """Show what has come in."""
        changed: set[int] = set()
        born: list[_Row] = []
        for event in self._inbox.take():
            place = self._places.get(event.job_id)
            if place is None and isinstance(event, StateChanged) and event.previous is None:
                place = len(self._rows) + len(born)
                self._places[event.job_id] = place
                born.append(_Row(event.job_id, event.name, JobState.QUEUED))
            if place is None:
                continue
            if place < len(self._rows):
                self._rows[place].take(event)
                changed.add(place)
            else:
                born[place - len(self._rows)].take(event)
        if changed:
            last = len(self._rows) - 1
            self.dataChanged.emit(
                self.index(last - max(changed), 0),
                self.index(last - min(changed), len(JobColumn) - 1),
            )
        if born:
            self._add(born)
        self._set_ticking()

    def _add(self, rows: list[_Row]) -> None:
        self.beginInsertRows(QModelIndex(), 0, len(rows) - 1)
        for row in rows:
            self._places[row.job_id] = len(self._rows)
            self._rows.append(row)
        self.endInsertRows()
        self._set_ticking()

    @staticmethod
    def _row_of(job: Job) -> _Row:
        row = _Row(job.id, job.name, job.state, job.latest_progress, job.message)
        row.started = time.time() if job.running() else None
        return row

    def _set_ticking(self) -> None:
        if any(row.ticks for row in self._rows) != self._ticker.isActive():
            if self._ticker.isActive():
                self._ticker.stop()
            else:
                self._ticker.start()

    def _tick(self) -> None:
        last = len(self._rows) - 1
        for place, row in enumerate(self._rows):
            if row.ticks:
                cell = self.index(last - place, JobColumn.ELAPSED)
                self.dataChanged.emit(cell, cell)
