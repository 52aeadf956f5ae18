"""A job as the store has it, and the reading side of the store.

Listing jobs and reading their states executes nothing; only `StoreReader.task` and `result` import
the class that is named. Writes nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import JobTimeoutError, MemoryLimitError, WorkerDiedError
from rheojobs.engine.events import Progress
from rheojobs.engine.serialization import PLAIN, UNKEPT, Record, state_from_disk, task_of, value_of
from rheojobs.engine.states import JobState
from rheojobs.engine.store.payloads import Payloads, content_of
from rheojobs.engine.store.schema import Transaction, connect, translate_errors
from rheojobs.errors import InputError

__all__ = ["WAITING", "StoreReader", "StoredJob", "default_path", "state_folder"]

WAITING = (JobState.QUEUED, JobState.BLOCKED, JobState.INTERRUPTED)

FROM_OUTSIDE = frozenset(
    kind.__qualname__ for kind in (WorkerDiedError, JobTimeoutError, MemoryLimitError)
)
"""Errors with which a job fails that its task has not made: it may go on where somebody wishes."""

_SELECT = (
    "SELECT number, jobs.id, name, task_type, not_durable_because, priority, needs, max_attempts,"
    " after, after_any, limits, created,"
    " changed, state, message, attempts, progress, bytes, owner, request, pid"
    " FROM jobs LEFT JOIN engines ON engines.id = jobs.owner"
)

_OF_ANYBODY = "(owner IS NULL OR owner IN (SELECT id FROM engines))"
"""True of each job; has the index used, which begins with the owner."""


def state_folder() -> Path:
    """Give the folder of what this user's jobs leave; `RHEOJOBS_STATE_DIR` moves it."""
    if override := os.environ.get("RHEOJOBS_STATE_DIR"):
        return Path(override)
    from platformdirs import user_state_path

    return user_state_path("rheojobs", appauthor=False)


def default_path() -> Path:
    """Give the store of this user."""
    return state_folder() / "jobs.sqlite3"


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as the store has it.

    Attributes
    ----------
    number : int
        Its place in the order of arrival.
    id, name, priority, state, message, attempts
        As of `Job`.
    task_type : str
        The import path of its task's class; empty where the task is not kept.
    not_durable_because : str
        Why it cannot be run again; empty where it can.
    needs, max_attempts, after, after_any
        As it was submitted; the latter two hold ids.
    limits : mapping
        Its tags, timeout and memory, as it was submitted, and the cluster that it was sent to last.
    created, changed : float
        When it was submitted, and when its state changed last (seconds since the epoch).
    progress : Progress or None
        The newest that was kept.
    bytes : int
        How much its task, result and checkpoint take.
    owner : str or None
        The engine that works on it, or will.
    request : str
        What somebody wants of its owner, who has not heard of it yet.
    pid : int or None
        The process of the owner.
    """

    number: int
    id: str
    name: str
    task_type: str
    not_durable_because: str
    priority: int
    needs: Mapping[str, float]
    max_attempts: int
    after: tuple[str, ...]
    after_any: tuple[str, ...]
    limits: Mapping[str, Any]
    created: float
    changed: float
    state: JobState
    message: str
    attempts: int
    progress: Progress | None
    bytes: int
    owner: str | None
    request: str
    pid: int | None

    @property
    def cluster_address(self) -> str:
        """The cluster on which its run may still go on, its application being gone; else empty."""
        return "" if self.state.is_terminal else str(self.limits.get("cluster_address") or "")

    @property
    def can_be_taken(self) -> bool:
        """Whether an engine may take it up: it waits, and nobody else has it."""
        return self.owner is None and self.state in WAITING and not self.not_durable_because


def _stored_job(row: tuple[Any, ...]) -> StoredJob:
    values = dict(zip(StoredJob.__slots__, row, strict=True))
    values["needs"] = json.loads(values["needs"])
    values["limits"] = json.loads(values["limits"])
    for name in ("after", "after_any"):
        values[name] = tuple(json.loads(values[name]))
    values["state"] = JobState(values["state"])
    if values["progress"] is not None:
        values["progress"] = Progress(*json.loads(values["progress"]))
    return StoredJob(**values)


def _entries(history: str) -> list[tuple[float, JobState, str]]:
    lines = map(json.loads, history.splitlines())
    return [(when, JobState(state), message) for when, state, message in lines]


class StoreReader:
    """What can be read of a store.

    Parameters
    ----------
    path : path, optional
        The user's own (`default_path`) where not given; made where there is none.

    Raises
    ------
    StoreError
        In one line, why it cannot be opened.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = default_path() if path is None else Path(path)
        self._lock = threading.RLock()
        self._db = connect(self.path)
        self._parts = Payloads(self._db, self.path.with_suffix(".files"))
        self._transaction = Transaction(self._db, self.path, self._lock, self._parts.settle)

    def close(self) -> None:
        """Close the database; may be called again."""
        with self._lock, translate_errors(self.path):
            self._db.close()

    def transaction(self) -> Transaction:
        """Have all writes within be on disk together, or none."""
        return self._transaction

    def jobs(
        self,
        states: Iterable[JobState] | None = None,
        *,
        limit: int | None = None,
        besides: str = "",
    ) -> list[StoredJob]:
        """Give the jobs, in the order in which they came.

        Parameters
        ----------
        states : iterable of JobState, optional
            Only those in one of these.
        limit : int, optional
            Only the newest.
        besides : str
            Those of this owner are left out.
        """
        wanted = list(JobState if states is None else states)
        marks = ", ".join("?" * len(wanted))
        # The newest few of many are found from the end, without an index: the + says so.
        where = f"{_OF_ANYBODY} AND state IN ({marks})" if limit is None else f"+state IN ({marks})"
        clauses = [where] if states is not None else []
        arguments = [str(state) for state in wanted] if states is not None else []
        if besides:
            clauses.append("owner IS NOT ?")
            arguments.append(besides)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        order = f"{where} ORDER BY number DESC LIMIT ?"
        rows = self._rows(_SELECT + order, *arguments, -1 if limit is None else limit)
        return [_stored_job(row) for row in reversed(rows)]

    def tagged(self, tag: str) -> list[StoredJob]:
        """Give the jobs that count under a tag, in the order in which they came."""
        where = " WHERE ? IN (SELECT value FROM json_each(limits, '$.tags')) ORDER BY number"
        return [_stored_job(row) for row in self._rows(_SELECT + where, tag)]

    def find(self, start: str) -> StoredJob:
        """Give the job whose id begins so.

        Raises
        ------
        InputError
            Where there is none, or more than one.
        """
        # A range, not a pattern: the index serves it, and no character has a meaning of its own.
        wanted = start.strip().lower()
        where = " WHERE jobs.id >= ? AND jobs.id < ? ORDER BY number DESC LIMIT 4"
        rows = self._rows(_SELECT + where, wanted, wanted + "\U0010ffff") if wanted else []
        if not rows:
            raise InputError(f"no job's id begins with {start!r}: rheojobs jobs list --all")
        if len(rows) > 1:
            names = ", ".join(row[1][: len(wanted) + 4] for row in rows[:3])
            more = ", …" if len(rows) > 3 else ""
            raise InputError(f"{start!r} begins the ids of several jobs: {names}{more}")
        return _stored_job(rows[0])

    def counts(self) -> dict[JobState, int]:
        """Count the jobs in each state."""
        counts: Counter[JobState] = Counter()
        for whose in ("IS NULL", "IS NOT NULL"):  # each in the order of the index
            statement = f"SELECT state, count(*) FROM jobs WHERE owner {whose} GROUP BY state"
            counts.update({JobState(state): count for state, count in self._rows(statement)})
        return dict(counts)

    def history(self, job_id: str) -> list[tuple[float, JobState, str]]:
        """Give each state that a job has entered: when (seconds since the epoch), which, why."""
        rows = self._rows("SELECT history FROM jobs WHERE id = ?", job_id)
        return [entry for (history,) in rows for entry in _entries(history)]

    def version(self) -> int:
        """Give a number that another has when somebody else has written since."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def first_starts(self, numbers: Iterable[int]) -> dict[int, float]:
        """Say when jobs, by their `number`, began to run; those that have not are left out."""
        statement = (
            "SELECT number, history FROM jobs WHERE number IN (SELECT value FROM json_each(?))"
        )
        starts = {
            number: [when for when, state, _ in _entries(history) if state is JobState.RUNNING]
            for number, history in self._rows(statement, json.dumps(list(numbers)))
        }
        return {number: min(times) for number, times in starts.items() if times}

    def task_words(self, numbers: Iterable[int], path: str) -> dict[int, str]:
        """Give one piece of text of the tasks of jobs, by their `number`, where they have it.

        Parameters
        ----------
        path : str
            Where it stands in a task's record, such as ``"$.model"``. Makes no task.
        """
        # Large records lie in files, and are passed over.
        statement = (
            "WITH wanted AS (SELECT value AS job FROM json_each(?)),"
            " tasks AS (SELECT job, CAST(content AS TEXT) AS task"
            " FROM wanted JOIN parts USING (job) WHERE part = 'task' AND name = '' AND file IS NULL"
            " UNION ALL SELECT job, task"
            " FROM wanted JOIN jobs ON number = job WHERE task IS NOT NULL)"
            " SELECT job, json_extract(task, ?) FROM tasks WHERE json_type(task, ?) = 'text'"
        )
        return dict(self._rows(statement, json.dumps(list(numbers)), path, path))

    def task(self, job_id: str) -> Any:
        """Make the task of a job anew.

        Raises
        ------
        InputError
            Where it is not kept, or cannot be made.
        """
        record = self._part(job_id, "task")
        if record is None:
            raise InputError(f"the task of job {job_id[:8]} is not kept: it cannot be run again")
        return task_of(record)

    def result(self, job_id: str, part: str = "result") -> Any:
        """Give the result of a job, or another ``part``; None where there is none."""
        record = self._part(job_id, part)
        return None if record is None else value_of(record)

    def was_stopped(self, job_id: str) -> bool:
        """Say whether a job failed not of itself: its workers died, or it came to its limits."""
        error = self.result(job_id, "error")
        return isinstance(error, Mapping) and error.get("type") in FROM_OUTSIDE

    def may_go_on(self, job: StoredJob) -> bool:
        """Say whether a person may have a job go on that nobody works on.

        One that waits does, one that was cancelled, and one that `was_stopped`.
        """
        if job.not_durable_because or job.owner is not None:
            return False
        if job.state is JobState.FAILED:
            return self.was_stopped(job.id)
        return job.can_be_taken or job.state is JobState.CANCELLED

    def result_bytes(self, job_id: str) -> int:
        """Say how large the result of a job is on disk; 0 where it could not be kept."""
        rows = self._rows(
            "SELECT coalesce(length(result), 0) + coalesce((SELECT sum(size) FROM parts"
            " WHERE job = number AND part = 'result' AND parts.kind <> ?), 0)"
            " FROM jobs WHERE id = ?",
            *(UNKEPT, job_id),
        )
        return int(rows[0][0]) if rows else 0

    def checkpoint(self, job_id: str) -> bytes | None:
        """Give the state of a job's last checkpoint as a `TaskContext` takes it, or None."""
        record = self._part(job_id, "checkpoint")
        return None if record is None else state_from_disk(record.content)

    def _part(self, job_id: str, part: str) -> Record | None:
        with self._lock, translate_errors(self.path):
            number, kind, task, result = self._row(job_id)
            if part == "task" and task is not None:
                return Record(kind, content_of(task, part, job_id))
            if part == "result" and result is not None:
                return Record(PLAIN, content_of(result, part, job_id))
            return self._parts.get(number, job_id, part)

    def _number(self, job_id: str) -> int:
        return int(self._row(job_id)[0])

    def _row(self, job_id: str) -> tuple[int, str, str | None, str | None]:
        """Give a job's number, its task's kind, and task and result where they are in the row."""
        statement = "SELECT number, task_type, task, result FROM jobs WHERE id = ?"
        row = self._db.execute(statement, (job_id,)).fetchone()
        if row is None:
            raise InputError(f"there is no job {job_id}")
        number, kind, task, result = row
        return number, kind, task, result

    def _rows(self, statement: str, *arguments: sqlite3._AdaptedInputData) -> list[Any]:
        with self._lock, translate_errors(self.path):
            return self._db.execute(statement, arguments).fetchall()
