"""`RowOrder`: which jobs a table shows, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from rheojobs.engine.states import JobState
from rheojobs.qt.widgets.jobs.columns import JobColumn, Scope, cell_text
from rheojobs.qt.widgets.jobs.rows import JobRow

__all__ = ["RowOrder"]

_RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            JobState.RUNNING,
            JobState.CANCELLING,
            JobState.PAUSED,
            JobState.INTERRUPTED,
            JobState.QUEUED,
            JobState.BLOCKED,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.SUCCEEDED,
        )
    )
}


def _seconds(value: float | None) -> float:
    return math.inf if value is None else value


_KEYS: dict[JobColumn, Callable[[JobRow], Any]] = {
    JobColumn.STATE: lambda row: (_RANKS[row.state], -row.priority),
    JobColumn.NAME: lambda row: cell_text(row, JobColumn.NAME).casefold(),
    JobColumn.MODEL: lambda row: row.model.casefold(),
    JobColumn.PROGRESS: lambda row: row.progress_text().casefold(),
    JobColumn.REMAINING: lambda row: _seconds(row.remaining),
    JobColumn.ELAPSED: lambda row: _seconds(row.elapsed),
}


class RowOrder:
    """The filter and the sorting of a table of jobs; by default all jobs, newest first."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._scope = Scope.ALL
        self._column = JobColumn.SUBMITTED
        self._is_descending = True

    @property
    def is_newest_first(self) -> bool:
        """Whether new jobs come first, and no change moves a job."""
        return self._column is JobColumn.SUBMITTED and self._is_descending

    def set_filter(self, text: str, scope: Scope) -> bool:
        """Choose jobs that contain all words and are in the scope; return whether it is new."""
        words = text.casefold().split()
        is_new = (words, scope) != (self._words, self._scope)
        self._words, self._scope = words, scope
        return is_new

    def set_sorting(self, column: JobColumn, is_descending: bool) -> None:
        """Choose the order; jobs that are equal in the column are in the order of arrival."""
        self._column, self._is_descending = column, is_descending

    def passes(self, row: JobRow) -> bool:
        """Return whether a job is shown."""
        is_ended = self._scope is Scope.ENDED
        if self._scope is not Scope.ALL and row.state.is_terminal != is_ended:
            return False
        return row.matches(self._words)

    def arranged(self, rows: Iterable[JobRow]) -> list[JobRow]:
        """Return the jobs that are shown, the last of the table first.

        Parameters
        ----------
        rows : iterable of JobRow
            All jobs, oldest first.
        """
        shown = [row for row in rows if self.passes(row)]
        if self._column is JobColumn.SUBMITTED:
            return shown if self._is_descending else shown[::-1]
        # Both keep the newest first among equals, since the table is read from the end.
        return sorted(shown, key=_KEYS[self._column], reverse=not self._is_descending)
