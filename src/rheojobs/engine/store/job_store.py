"""The durable record of jobs: what becomes of each, and who works on it. Thread-safe.

Several engines, in several processes, may work on one store; a job belongs to one of them at
most. Knows records, not engines.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import StoreError
from rheojobs.engine.events import Progress
from rheojobs.engine.serialization import PLAIN, Record, is_json, state_to_disk, task_of
from rheojobs.engine.states import JobState, check_transition
from rheojobs.engine.store import sql
from rheojobs.engine.store.commands import REQUESTS, priority_request
from rheojobs.engine.store.leases import Owner, is_running
from rheojobs.engine.store.payloads import contents_of, row_text, size_of
from rheojobs.engine.store.reader import WAITING, StoredJob, default_path
from rheojobs.engine.store.registration import Membership
from rheojobs.engine.store.schema import translate_errors
from rheojobs.errors import InputError, nearest

__all__ = ["UNTIDIED", "JobStore", "StoredJob", "default_path"]

MAX_AGE = 90 * 86400.0
MAX_BYTES = 2_000_000_000
"""What is kept of jobs that have ended, in seconds and in bytes."""

UNTIDIED = "untidied"
"""The part of a job that says what is to be removed when its result is kept."""


class JobStore(Membership):
    """The jobs in a database.

    Parameters
    ----------
    path : path, optional
        The user's own (`default_path`) where not given; made where there is none.
    clock : callable
        Gives the seconds that leases count in.
    running : callable
        Says whether the process of an `Owner` is there, or None where it cannot be seen.

    Attributes
    ----------
    path : Path
        The database.

    Raises
    ------
    StoreError
        In one line, why it cannot be opened.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        running: Callable[[Owner], bool | None] = is_running,
    ) -> None:
        super().__init__(path, clock, running)
        self._seen = -1
        self._checkpointed: set[str] = set()  # those of this owner's that may have a checkpoint

    def __enter__(self) -> JobStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ---------------------------------------------------------------- what the owner writes

    def add(
        self,
        job_id: str,
        name: str,
        record: Record | None,
        *,
        not_durable_because: str = "",
        priority: int = 0,
        needs: Mapping[str, float] | None = None,
        max_attempts: int = 1,
        after: Iterable[str] = (),
        after_any: Iterable[str] = (),
        limits: Mapping[str, Any] | None = None,
        state: JobState = JobState.QUEUED,
        checkpoint: bytes | None = None,
        when: float | None = None,
    ) -> None:
        """Take in a new job of this owner's.

        Parameters
        ----------
        record : Record or None
            Its task; None where that cannot be kept: `not_durable_because` says why.
        checkpoint : bytes, optional
            Of an earlier job that it goes on from.
        when : float, optional
            When it was submitted (seconds since the epoch); now where not given.
        """
        now = time.time() if when is None else when
        task = None if record is None or record.blobs else row_text(record.content)
        contents = contents_of(record) if record is not None and task is None else {}
        kind = "" if record is None else record.kind
        values = (
            *(job_id, name, kind, not_durable_because, priority, sql.object_(needs), max_attempts),
            *(
                sql.array(after),
                sql.array(after_any),
                sql.object_(limits),
                now,
                now,
                state,
            ),
            *(sql.line(now, state, ""), len(task or "") + size_of(contents)),
            *(self.owner.id, task),
        )
        if not contents and checkpoint is None:
            self._insert(values)
            return
        with self.transaction():
            number = self._insert(values)
            self._parts.add(number, job_id, "task", kind, contents)
            if checkpoint is not None:
                self.put_checkpoint(job_id, checkpoint)

    def _insert(self, values: tuple[Any, ...]) -> int:
        """Add a row; gives its number."""
        try:
            number = self._transaction.alone(sql.INSERT, values).lastrowid
        except StoreError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", None)
            if code != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            with self.transaction():
                self._sign_in()  # others have taken this engine for dead
                number = self._db.execute(sql.INSERT, values).lastrowid
        assert number is not None
        return number

    def move(
        self,
        job_id: str,
        state: JobState,
        message: str = "",
        when: float | None = None,
        began: float | None = None,
        result: str | None = None,
    ) -> bool:
        """Let a job of this owner's enter a state; False where it is somebody else's.

        Parameters
        ----------
        when : float, optional
            Seconds since the epoch; now where not given.
        began : float, optional
            When it began to run, where that is to be written with what came next.
        result : str, optional
            Where it succeeds: its result, as `row_text` gives it.
        """
        now = time.time() if when is None else when
        history = sql.line(now, state, message)
        statement, first = sql.MOVES[state], state
        if began is not None:
            history = sql.line(began, JobState.RUNNING, "") + history
            statement, first = sql.RUNS[state], JobState.RUNNING
        brought = (result, len(result or "")) if state is JobState.SUCCEEDED else ()
        values = (state, message, now, history, *brought, job_id, self.owner.id)

        def is_moved() -> bool:
            moved = self._transaction.alone(statement, values).rowcount > 0
            return moved or self._refuse(job_id, first)

        if not (job_id in self._checkpointed and state.is_terminal):
            return is_moved()
        with self.transaction():
            if not is_moved():
                return False
            self._checkpointed.discard(job_id)
            if state is JobState.SUCCEEDED or (
                state is JobState.FAILED and not self.was_stopped(job_id)
            ):
                self._parts.drop(self._number(job_id), job_id, "checkpoint")
            return True

    def _refuse(self, job_id: str, state: JobState) -> bool:
        """Say why a job cannot be moved: False where it is somebody else's, else an error."""
        rows = self._rows(
            "SELECT state FROM jobs WHERE id = ? AND owner = ?", job_id, self.owner.id
        )
        for row in rows:
            check_transition(JobState(row[0]), state)
        return False

    def give_away(self, job_id: str, message: str) -> bool:
        """Let others have a job of this owner's: it is interrupted, where it was at work."""
        with self.transaction():
            row = self._db.execute(
                "SELECT number, state FROM jobs WHERE id = ? AND owner = ?", (job_id, self.owner.id)
            ).fetchone()
            if row is None:
                return False
            if row[1] in (JobState.RUNNING, JobState.PAUSED):
                self._enter(row[0], JobState.INTERRUPTED, message)
            self._db.execute("UPDATE jobs SET owner = NULL WHERE number = ?", (row[0],))
            return True

    def put_cluster_address(self, job_id: str, cluster_address: str) -> None:
        """Keep which cluster a job of this owner's is sent to."""
        with self.transaction():
            self._db.execute(
                "UPDATE jobs SET limits = json_set(limits, '$.cluster_address', ?)"
                " WHERE id = ? AND owner = ?",
                (cluster_address, job_id, self.owner.id),
            )

    def untag(self, job_id: str) -> None:
        """Have a job count under no tag any more."""
        with self.transaction():
            self._db.execute(
                "UPDATE jobs SET limits = json_remove(limits, '$.tags') WHERE id = ?", (job_id,)
            )

    def put_progress(self, job_id: str, progress: Progress) -> bool:
        """Keep the newest report of a job of this owner's; False where it is somebody else's."""
        metrics = {key: value for key, value in progress.metrics.items() if is_json(value)}
        fields = [progress.current, progress.total, progress.message, progress.stage, metrics]
        with self.transaction():
            written = self._db.execute(
                "UPDATE jobs SET progress = ? WHERE id = ? AND owner = ?",
                (json.dumps(fields), job_id, self.owner.id),
            )
            return written.rowcount > 0

    def put_priority(self, job_id: str, priority: int) -> None:
        """Keep the place in line of a job of this owner's."""
        with self.transaction():
            self._db.execute(
                "UPDATE jobs SET priority = ? WHERE id = ? AND owner = ?",
                (priority, job_id, self.owner.id),
            )

    def put(self, job_id: str, part: str, record: Record) -> bool:
        """Keep a part of a job of this owner's; False where it is somebody else's."""
        with self.transaction():
            row = self._db.execute(
                "SELECT number FROM jobs WHERE id = ? AND owner = ?", (job_id, self.owner.id)
            ).fetchone()
            if row is not None:
                self._parts.put(row[0], job_id, part, record)
            return row is not None

    def put_task(self, job_id: str, record: Record) -> bool:
        """Keep the task of a job of this owner's, which could not be kept until now."""
        with self.transaction():
            self._db.execute(
                "UPDATE jobs SET task_type = ?, not_durable_because = '', task = NULL"
                " WHERE id = ? AND owner = ?",
                (record.kind, job_id, self.owner.id),
            )
            return self.put(job_id, "task", record)

    def put_checkpoint(self, job_id: str, packed: bytes) -> bool:
        """Keep the state of a checkpoint, where it is JSON; a pickled one is kept nowhere."""
        text = state_to_disk(packed)
        self._checkpointed.add(job_id)
        return text is None or self.put(job_id, "checkpoint", Record(PLAIN, text))

    def untidied(self) -> list[str]:
        """Give the jobs that are done, and whose leftover has not been removed yet: the ids."""
        rows = self._rows(
            "SELECT id FROM parts JOIN jobs ON number = job"
            f" WHERE part = '{UNTIDIED}' AND state = ?",  # by name: so it has an index
            JobState.SUCCEEDED,
        )
        return [row[0] for row in rows]

    def leftover(self, job_id: str) -> Any:
        """Make what an untidied job has left; None where somebody has removed it meanwhile.

        Raises
        ------
        InputError
            Where it cannot be made.
        """
        record = self._part(job_id, UNTIDIED)
        return None if record is None else task_of(record)

    def tidied(self, job_id: str) -> None:
        """Note that what a job has left is removed."""
        with self.transaction():
            for row in self._rows("SELECT number FROM jobs WHERE id = ?", job_id):
                self._parts.drop(row[0], job_id, UNTIDIED)

    def take(self, job_id: str) -> JobState | None:
        """Take a job that waits and that nobody has.

        Returns
        -------
        JobState or None
            The state in which it is now: queued, or blocked. None where another was quicker.
        """
        with self.transaction():
            row = self._db.execute(
                "SELECT number, state FROM jobs"
                " WHERE id = ? AND owner IS NULL AND not_durable_because = ''",
                (job_id,),
            ).fetchone()
            if row is None or row[1] not in WAITING:
                return None
            self._sign_in()
            self._checkpointed.add(job_id)
            self._db.execute(
                "UPDATE jobs SET owner = ?, request = '' WHERE number = ?", (self.owner.id, row[0])
            )
            if row[1] != JobState.INTERRUPTED:
                return JobState(row[1])
            self._enter(row[0], JobState.QUEUED)
            return JobState.QUEUED

    def take_requests(self) -> list[tuple[str, str]]:
        """Give what others want of this owner's jobs, ``(id, request)``, and strike it off."""
        with self._lock, translate_errors(self.path):
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
            if version == self._seen:  # nobody else has written since
                return []
            rows = self._db.execute(
                "SELECT id, request FROM jobs WHERE owner = ? AND request <> ''", (self.owner.id,)
            ).fetchall()
            for row in rows:
                self._db.execute("UPDATE jobs SET request = '' WHERE id = ? AND request = ?", row)
            self._seen = version
            return rows

    # ---------------------------------------------------------------- what anybody may do

    def request(self, job_id: str, request: str) -> bool:
        """Want a job to be cancelled, paused or resumed.

        Returns
        -------
        bool
            Whether that is done already, since nobody works on the job; else its owner will
            hear of it within a second.

        Raises
        ------
        InputError
            Where it cannot be had of this job.
        """
        if request not in REQUESTS:
            raise InputError(f"unknown request {request!r}; {nearest(request, REQUESTS)}")
        with self.transaction():
            job = self.find(job_id)
            if job.state not in REQUESTS[request]:
                raise InputError(
                    f"job {job.id[:8]} ({job.name}) is {job.state}: cannot {request} it"
                )
            if job.owner is None:
                self._enter(job.number, JobState.CANCELLED, "cancelled while it waited")
            else:
                self._set_request(job, request)
            return job.owner is None

    def request_priority(self, job_id: str, priority: int) -> bool:
        """Want a job that waits to have another priority; gives what `ask` gives.

        Raises
        ------
        InputError
            Where the job does not wait.
        """
        with self.transaction():
            job = self.find(job_id)
            if job.state not in WAITING:
                raise InputError(
                    f"job {job.id[:8]} ({job.name}) is {job.state}: its turn has come already"
                )
            if job.owner is None:
                self._db.execute(
                    "UPDATE jobs SET priority = ? WHERE number = ?", (priority, job.number)
                )
            elif job.request != "cancel":  # who is to be cancelled needs no turn
                request = priority_request(priority)
                self._set_request(job, request)
            return job.owner is None

    def _set_request(self, job: StoredJob, request: str) -> None:
        self._db.execute("UPDATE jobs SET request = ? WHERE number = ?", (request, job.number))

    def remove(self, job_id: str) -> None:
        """Remove a job that has ended; `InputError` where it has not."""
        with self.transaction():
            job = self.find(job_id)
            if not job.state.is_terminal:
                raise InputError(f"job {job.id[:8]} ({job.name}) is {job.state}: cancel it first")
            self._db.execute("DELETE FROM jobs WHERE number = ?", (job.number,))
        self._parts.remove_files([job.id])

    def prune(self, max_age: float = MAX_AGE, max_bytes: float = MAX_BYTES) -> int:
        """Remove the oldest of the jobs that have ended; gives how many.

        Parameters
        ----------
        max_age : float
            Seconds since their end after which they go.
        max_bytes : float
            How much all that is kept may take.
        """
        with self.transaction():
            self._parts.sweep()
            ended = self._db.execute(
                "SELECT number, id, changed, bytes FROM jobs WHERE state IN (?, ?, ?)"
                " ORDER BY changed",
                tuple(state for state in JobState if state.is_terminal),
            ).fetchall()
            total = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM jobs").fetchone()[0]
            old, going = time.time() - max_age, []
            for number, job_id, changed, size in ended:
                if changed >= old and total <= max_bytes:
                    break
                total -= size
                going.append((number, job_id))
            self._db.executemany("DELETE FROM jobs WHERE number = ?", [(n,) for n, _ in going])
        if going:
            self._rows("PRAGMA incremental_vacuum")
        self._parts.remove_files(job_id for _, job_id in going)
        return len(going)
