"""The columns of the table of jobs, and the item roles of its cells."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from qtpy.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, Qt

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.common.copying import COPY_ROLE, copied_number
from rheojobs.qt.widgets.jobs.rows import JobRow, moment, signed, state_text

__all__ = [
    "FRACTION_ROLE",
    "JOB_ID_ROLE",
    "NUMBERS",
    "STATE_ROLE",
    "JobColumn",
    "Scope",
    "cell_data",
    "cell_text",
    "head_data",
    "head_texts",
    "job_state",
]

FRACTION_ROLE = Qt.ItemDataRole.UserRole + 1
"""Fraction of the present stage that is done, 0 to 1; None if unknown."""

JOB_ID_ROLE = Qt.ItemDataRole.UserRole + 2
STATE_ROLE = Qt.ItemDataRole.UserRole + 3


def _tr(text: str) -> str:
    return QCoreApplication.translate("jobs", text)


def job_state(index: QModelIndex | QPersistentModelIndex) -> JobState:
    """Return the state of the job at an index; Qt turns it into a plain string."""
    return JobState(index.data(STATE_ROLE))


class JobColumn(IntEnum):
    """The columns, by content."""

    STATE = 0
    NAME = 1
    MODEL = 2
    SUBMITTED = 3
    PROGRESS = 4
    REMAINING = 5
    ELAPSED = 6


NUMBERS = (JobColumn.REMAINING, JobColumn.ELAPSED)

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Scope(IntEnum):
    """Which jobs are shown."""

    ALL = 0
    OPEN = 1
    ENDED = 2


def head_texts() -> tuple[str, ...]:
    """Return the titles of the columns."""
    return (
        _tr("State"),
        _tr("Job"),
        _tr("Model"),
        _tr("When"),
        _tr("Progress"),
        _tr("Left"),
        _tr("Elapsed"),
    )


def cell_text(row: JobRow, column: int) -> str:
    """Return the text of a cell."""
    match column:
        case JobColumn.NAME:
            return _job_text(row)
        case JobColumn.MODEL:
            return row.model
        case JobColumn.STATE:
            text = state_text(row.state)
            return f"{text} {signed(row.priority)}" if row.has_say() else text
        case JobColumn.SUBMITTED:
            return row.created_text()
        case JobColumn.PROGRESS:
            return row.progress_text()
        case JobColumn.REMAINING:
            return row.remaining_text()
    return row.elapsed_text()


def cell_data(row: JobRow, column: int, role: int) -> Any:
    """Return the data of a cell."""
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return cell_text(row, column)
        case Qt.ItemDataRole.ToolTipRole:
            return _hint(row, column)
        case Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column in NUMBERS else None
        case _ if role == FRACTION_ROLE:
            return row.fraction
        case _ if role == STATE_ROLE:
            return str(row.state)
        case _ if role == JOB_ID_ROLE:
            return row.job_id
        case _ if role == COPY_ROLE:
            return _copied(row, column)
    return None


def _hint(row: JobRow, column: int) -> str:
    text = cell_text(row, column)
    hint = row.hint()
    return hint if text in hint else f"{text}\n{hint}"


def head_data(column: int, role: int) -> Any:
    """Return the title of a column, or its alignment."""
    if role == Qt.ItemDataRole.TextAlignmentRole:
        return _RIGHT if column in NUMBERS else None
    if role == COPY_ROLE and column in (JobColumn.REMAINING, JobColumn.ELAPSED):
        return f"{head_texts()[column]} / s"
    if role == Qt.ItemDataRole.ToolTipRole:
        return _head_hint(column)
    return head_texts()[column] if role in (Qt.ItemDataRole.DisplayRole, COPY_ROLE) else None


def _head_hint(column: int) -> str:
    return {
        JobColumn.STATE: _tr("State; with the priority of a job that waits, if it has another"),
        JobColumn.SUBMITTED: _tr("When the job was submitted"),
        JobColumn.PROGRESS: _tr("What the job does, or how it ended"),
        JobColumn.REMAINING: _tr("Estimate of the time that remains"),
        JobColumn.ELAPSED: _tr("Time since the job was started, or until it ended"),
    }.get(JobColumn(column), head_texts()[column])


def _copied(row: JobRow, column: int) -> str | None:
    """Return a cell as it is copied, where it differs from what is shown."""
    match column:
        case JobColumn.SUBMITTED:
            return moment(row.created)
        case JobColumn.REMAINING:
            return copied_number(row.remaining)
        case JobColumn.ELAPSED:
            return copied_number(row.elapsed)
    return None


def _job_text(row: JobRow) -> str:
    """Return the job's name with its data; its model is left out: the next column has it."""
    if not row.data or row.data in row.name:
        return row.name
    if row.model and row.name.endswith(f" {row.model}"):
        return f"{row.name.removesuffix(row.model)}{row.data}"
    return f"{row.name}, {row.data}"
