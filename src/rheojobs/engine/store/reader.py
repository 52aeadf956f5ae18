"""The reading side of a store; it writes nothing.

Listing jobs and reading their states makes no objects of tasks or results. Only `StoreReader.task`
may import a class that is not part of rheojobs.
"""

from __future__ import annotations

import functools
import json
import operator
import os
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from rheojobs.engine.errors import JobTimeoutError, MemoryLimitError, StoreError, WorkerDiedError
from rheojobs.engine.serialization import (
    PLAIN,
    UNKEPT,
    Record,
    from_json,
    leftover_of,
    state_from_disk,
    task_of,
    utf8,
    value_of,
)
from rheojobs.engine.states import JobState
from rheojobs.engine.store import sql
from rheojobs.engine.store.database import Database, log_of, translate_errors
from rheojobs.engine.store.filesystems import network_type
from rheojobs.engine.store.payload_files import PayloadFiles
from rheojobs.engine.store.payloads import Payloads, content_of
from rheojobs.engine.store.schema import connect
from rheojobs.engine.store.stored_job import WAITING, StoredJob
from rheojobs.errors import InputError, one_line

__all__ = [
    "UNTIDIED",
    "WAITING",
    "StoreReader",
    "StoredJob",
    "default_path",
    "resolved",
    "state_folder",
]

FROM_OUTSIDE = frozenset(
    kind.__qualname__ for kind in (WorkerDiedError, JobTimeoutError, MemoryLimitError)
)
"""The errors that a task has not raised itself: such a failed job may be resumed on request."""

UNTIDIED = "untidied"
"""The part of a job that describes its leftover, to be removed when its result is stored."""

_OF_ANY = "(owner IS NULL OR owner IN (SELECT id FROM engines))"
"""A condition that all jobs meet; it makes SQLite use the index, which begins with the owner."""


def state_folder() -> Path:
    """Return the folder of the store and the checkpoints; `RHEOJOBS_STATE_DIR` overrides it."""
    if override := os.environ.get("RHEOJOBS_STATE_DIR"):
        return Path(override)
    from platformdirs import user_state_path

    return user_state_path("rheojobs", appauthor=False)


def default_path() -> Path:
    """Return the path of the user's store."""
    return state_folder() / "jobs.sqlite3"


def resolved(path: str | Path | None) -> Path:
    """Return the absolute path of a store, by default the user's, without symbolic links."""
    return Path(os.path.realpath(default_path() if path is None else path))


class StoreReader:
    """The reading side of a store.

    A store on a network file system is copied and read there: SQLite's log does not work between
    machines.

    Parameters
    ----------
    path : path, optional
        The database, by default that of the user (`default_path`); it is created if missing.

    Attributes
    ----------
    path : Path
        The database: absolute, without symbolic links, so that a store has one folder.

    Raises
    ------
    StoreError
        If it cannot be opened.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = resolved(path)
        self._db = _copy(self.path) if network_type(self.path.parent) else connect(self.path)
        self._files = PayloadFiles(self.path)
        self._payloads = Payloads(self._db, self._files)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; it may be called again."""
        self._db.close()

    def jobs(
        self,
        states: Iterable[JobState] | None = None,
        *,
        limit: int | None = None,
        besides: str = "",
    ) -> list[StoredJob]:
        """Return the jobs, in order of arrival.

        Parameters
        ----------
        states : iterable of JobState, optional
            Only jobs in one of these states.
        limit : int, optional
            Only so many, the newest.
        besides : str
            The owner whose jobs are left out.
        """
        clauses, values = [], []
        if states is not None:
            is_wanted = f"state IN {sql.one_of(states)}"
            # The newest few of many are found from the end: the + keeps SQLite off the index.
            clauses.append(f"{_OF_ANY} AND {is_wanted}" if limit is None else f"+{is_wanted}")
        if besides:
            clauses.append("owner IS NOT ?")
            values.append(besides)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        most = -1 if limit is None else limit
        return self._jobs(f"{where} ORDER BY number DESC LIMIT ?", *values, most)[::-1]

    def tagged(self, tag: str) -> list[StoredJob]:
        """Return the jobs with a tag, in order of arrival."""
        where = " WHERE ? IN (SELECT value FROM json_each(limits, '$.tags')) ORDER BY number"
        return self._jobs(where, utf8(tag))

    def find(self, start: str) -> StoredJob:
        """Return the job whose id begins with a unique prefix.

        Raises
        ------
        InputError
            If there is none, or more than one.
        """
        # A range, not a pattern: it uses the index, and no character is special.
        wanted = utf8(start.strip().lower())
        where = " WHERE jobs.id >= ? AND jobs.id < ? ORDER BY number DESC LIMIT 4"
        jobs = self._jobs(where, wanted, wanted + "\U0010ffff") if wanted else []
        if not jobs:
            raise InputError(f"no job's id begins with {start!r}: rheojobs jobs list --all")
        if len(jobs) > 1:
            names = ", ".join(job.id[: len(wanted) + 4] for job in jobs[:3])
            more = ", …" if len(jobs) > 3 else ""
            raise InputError(f"{start!r} begins the ids of several jobs: {names}{more}")
        return jobs[0]

    def counts(self) -> dict[JobState, int]:
        """Return the number of jobs in each state."""
        counts: Counter[JobState] = Counter()
        for whose in ("IS NULL", "IS NOT NULL"):  # each in the order of the index
            statement = f"SELECT state, count(*) FROM jobs WHERE owner {whose} GROUP BY state"
            for state, count in self._db.rows(statement):
                counts[_state(state)] += count
        return dict(counts)

    def history(self, job_id: str) -> list[tuple[float, JobState, str]]:
        """Return the states that a job has entered: time (s since the epoch), state, reason."""
        rows = self._db.rows("SELECT history FROM jobs WHERE id = ?", (utf8(job_id),))
        return [entry for (history,) in rows for entry in _entries(history)]

    def version(self) -> int:
        """Return a number that changes when another connection writes."""
        return int(self._db.rows("PRAGMA data_version")[0][0])

    def first_starts(self, numbers: Iterable[int]) -> dict[int, float]:
        """Return when jobs, by their `number`, began to run, without those that have not."""
        statement = (
            "SELECT number, history FROM jobs WHERE number IN (SELECT value FROM json_each(?))"
        )
        starts = {
            number: [when for when, state, _ in _entries(history) if state is JobState.RUNNING]
            for number, history in self._db.rows(statement, (json.dumps(list(numbers)),))
        }
        return {number: min(times) for number, times in starts.items() if times}

    def task_words(self, numbers: Iterable[int], *keys: str) -> dict[int, str]:
        """Return one text of the records of tasks of jobs, by their `number`; makes no task.

        Jobs whose task has no such text, or is large, are left out.

        Parameters
        ----------
        keys : str
            The path of keys to the text in a task's record.
        """
        # SQLite cannot parse NaN and infinity: records with these are parsed here. Its texts need
        # not be UTF-8. Large records are in files, and are skipped.
        statement = (
            "WITH wanted AS (SELECT value AS job FROM json_each(?)),"
            " tasks AS (SELECT job, CAST(content AS TEXT) AS task"
            " FROM wanted JOIN parts USING (job) WHERE part = 'task' AND name = '' AND file IS NULL"
            " UNION ALL SELECT job, task"
            " FROM wanted JOIN jobs ON number = job WHERE task IS NOT NULL)"
            " SELECT job, CASE WHEN json_valid(task) THEN"
            " CASE json_type(task, ?) WHEN 'text' THEN CAST(json_extract(task, ?) AS BLOB) END END,"
            " CASE WHEN NOT json_valid(task) THEN CAST(task AS BLOB) END FROM tasks"
        )
        path = "$" + "".join(f'."{key}"' for key in keys)
        rows = self._db.rows(statement, (json.dumps(list(numbers)), path, path))
        words = {
            number: _word(task, keys) if word is None else utf8(word.decode(errors="surrogatepass"))
            for number, word, task in rows
            if word is not None or task is not None
        }
        return {number: word for number, word in words.items() if word is not None}

    def task(self, job_id: str, *, may_import: bool = True) -> Any:
        """Return the task of a job, made from its record.

        Parameters
        ----------
        may_import : bool
            Whether its class may be imported if it is not part of rheojobs. False for a task that
            is only inspected.

        Raises
        ------
        InputError
            If it is not stored, or cannot be made.
        """
        record = self._part(job_id, "task")
        if record is None:
            raise InputError(f"the task of job {job_id[:8]} is not stored: it cannot be run again")
        return task_of(record, may_import=may_import)

    def result(self, job_id: str, part: str = "result") -> Any:
        """Return the result of a job, or another ``part``; None if there is none."""
        record = self._part(job_id, part)
        return None if record is None else value_of(record)

    def kept_result(self, job_id: str) -> Any:
        """Return the result of a job, or else its partial result; None if there is neither."""
        result = self.result(job_id)
        return self.result(job_id, "partial") if result is None else result

    def error(self, job_id: str) -> Mapping[str, Any]:
        """Return the type of the error of a job and its traceback; empty if there is none."""
        record = self._part(job_id, "error")
        is_error = record is not None and record.kind == PLAIN and isinstance(record.content, dict)
        return record.content if record is not None and is_error else {}

    def was_stopped(self, job_id: str) -> bool:
        """Return whether a job failed because its workers died or it reached a limit."""
        return self.error(job_id).get("type") in FROM_OUTSIDE

    def may_go_on(self, job: StoredJob) -> bool:
        """Return whether a job without an owner may be resumed on request.

        These are jobs that wait, that were cancelled, and that have failed but `was_stopped`.
        """
        if job.not_durable_because or job.owner is not None:
            return False
        if job.state is JobState.FAILED:
            return self.was_stopped(job.id)
        return job.can_be_taken or job.state is JobState.CANCELLED

    def result_bytes(self, job_id: str) -> int:
        """Return the size of the result of a job on disk; 0 if it could not be stored."""
        rows = self._db.rows(
            "SELECT coalesce(length(result), 0) + coalesce((SELECT sum(size) FROM parts"
            " WHERE job = number AND part = 'result' AND parts.kind <> ?), 0)"
            " FROM jobs WHERE id = ?",
            (UNKEPT, job_id),
        )
        return int(rows[0][0]) if rows else 0

    def checkpoint(self, job_id: str) -> bytes | None:
        """Return the state of a job's last checkpoint as a `TaskContext` takes it, or None."""
        record = self._part(job_id, "checkpoint")
        if record is None:
            return None
        try:
            return state_from_disk(record.content)
        except ValueError as error:
            raise StoreError(f"the checkpoint of job {job_id[:8]} is damaged: {error}") from error

    def untidied(self) -> list[str]:
        """Return the ids of the successful jobs whose leftover has not been removed."""
        rows = self._db.rows(
            "SELECT id FROM parts JOIN jobs ON number = job"
            f" WHERE part = '{UNTIDIED}' AND state = ?",  # a literal, so that SQLite uses the index
            (JobState.SUCCEEDED,),
        )
        return [row[0] for row in rows]

    def leftover(self, job_id: str) -> Any:
        """Return the leftover of an untidied job; None if it was removed meanwhile.

        Raises
        ------
        InputError
            If it cannot be made.
        """
        record = self._part(job_id, UNTIDIED)
        return None if record is None else leftover_of(record)

    def _part(self, job_id: str, part: str) -> Record | None:
        statement = "SELECT number, task_type, task, result FROM jobs WHERE id = ?"
        rows = self._db.rows(statement, (utf8(job_id),))
        if not rows:
            raise InputError(f"there is no job {job_id}")
        number, task_type, task, result = rows[0]
        if part == "task" and task is not None:
            return Record(task_type, content_of(task, part, job_id))
        if part == "result" and result is not None:
            return Record(PLAIN, content_of(result, part, job_id))
        return self._payloads.get(number, job_id, part)

    def _jobs(self, where: str, *values: Any) -> list[StoredJob]:
        return [StoredJob.from_row(row) for row in self._db.named_rows(sql.SELECT + where, values)]


def _state(text: str) -> JobState:
    try:
        return JobState(text)
    except ValueError as error:
        raise StoreError(f"the state of a job is damaged: {one_line(error)}") from error


def _entries(history: str) -> list[tuple[float, JobState, str]]:
    try:
        lines = map(from_json, history.splitlines())
        return [(float(when), JobState(state), str(message)) for when, state, message in lines]
    except (ValueError, TypeError) as error:
        raise StoreError(f"the history of a job is damaged: {one_line(error)}") from error


def _word(task: bytes, keys: Iterable[str]) -> str | None:
    """Return the text at a path of keys in a record; None if there is none."""
    try:
        word = functools.reduce(operator.getitem, keys, from_json(task))
    except (ValueError, LookupError, TypeError):
        return None
    return utf8(word) if isinstance(word, str) else None


def _copy(path: Path) -> Database:
    """Open a temporary copy of a database, which is removed when it is closed."""
    folder = Path(tempfile.mkdtemp(prefix="rheojobs-"))
    with translate_errors(path):
        try:
            for original in (path, log_of(path)):
                if original.exists():
                    shutil.copyfile(original, folder / original.name)
            database = connect(folder / path.name, is_copy=True)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    database.path = path
    weakref.finalize(database, shutil.rmtree, folder, ignore_errors=True)
    return database
