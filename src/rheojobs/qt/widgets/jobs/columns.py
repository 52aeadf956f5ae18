"""The columns of the table of jobs, and the item roles of its cells."""

from __future__ import annotations

from enum import IntEnum

from qtpy.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, Qt

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.jobs.rows import JobRow, signed, state_text

__all__ = [
    "FRACTION_ROLE",
    "JOB_ID_ROLE",
    "NUMBERS",
    "STATE_ROLE",
    "JobColumn",
    "Scope",
    "cell_text",
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

    NAME = 0
    MODEL = 1
    STATE = 2
    PROGRESS = 3
    REMAINING = 4
    PRIORITY = 5
    ELAPSED = 6


NUMBERS = (JobColumn.REMAINING, JobColumn.PRIORITY, JobColumn.ELAPSED)


class Scope(IntEnum):
    """Which jobs are shown."""

    ALL = 0
    OPEN = 1
    ENDED = 2


def head_texts() -> tuple[str, ...]:
    """Return the titles of the columns."""
    return (
        _tr("Job"),
        _tr("Model"),
        _tr("State"),
        _tr("Progress"),
        _tr("Remaining"),
        _tr("Priority"),
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
            return state_text(row.state)
        case JobColumn.PROGRESS:
            return row.progress_text()
        case JobColumn.REMAINING:
            return row.remaining_text()
        case JobColumn.PRIORITY:
            return signed(row.priority) if row.priority else ""
    return row.elapsed_text()


def _job_text(row: JobRow) -> str:
    """Return the job's name; the data replace its model, which the next column shows."""
    if row.model and row.data and row.name.endswith(f" {row.model}"):
        return f"{row.name.removesuffix(row.model)}{row.data}"
    return row.name
