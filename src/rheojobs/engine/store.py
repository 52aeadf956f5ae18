"""The durable record of jobs: what becomes of each, and who works on it. Thread-safe.

Several engines, in several processes, may work on one store; a job belongs to one of them at
most. Knows records, not engines.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine import statements
from rheojobs.engine.errors import StoreError
from rheojobs.engine.events import Progress
from rheojobs.engine.owners import LEASE_SECONDS, Owner, is_alive, is_running, without_owner
from rheojobs.engine.parts import contents_of, size_of
from rheojobs.engine.records import PLAIN, Record, is_json, state_to_disk
from rheojobs.engine.schema import move_log, told
from rheojobs.engine.states import JobState, check_transition
from rheojobs.engine.stored import WAITING, StoredJob, StoreReader, default_path
from rheojobs.engine.wishes import WISHES, priority_wish
from rheojobs.errors import InputError, nearest

__all__ = ["UNTIDIED", "JobStore", "StoredJob", "default_path"]

MAX_AGE = 90 * 86400.0
MAX_BYTES = 2_000_000_000
"""What is kept of jobs that have ended, in seconds and in bytes."""

LARGE_LOG = 4_000_000
"""Bytes of SQLite's log from which on `JobStore.sync` moves it into the database."""

LONGEST_LOG = 4_000
"""Pages of the log from which on whoever writes moves it, as SQLite does by itself."""


UNTIDIED = "untidied"
"""The part of a job whose task is to tidy up when its result is kept."""


class JobStore(StoreReader):
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
        super().__init__(path)
        self._clock = clock
        self._running = running
        self._seen = -1
        self._joined = False
        self._checkpointed: set[str] = set()  # those of this owner's that may have a checkpoint

    @functools.cached_property
    def owner(self) -> Owner:
        """Who works on jobs through this object; to find that out takes longer than a look."""
        return Owner()

    def __enter__(self) -> JobStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ---------------------------------------------------------------- who works here

    def join(self) -> None:
        """Begin to work here: jobs may be added and taken from now on."""
        if self._joined:
            raise InputError(f"this JobStore of {self.path} has an engine already: make another")
        self._joined = True
        try:
            self.renew()
            with self._lock, told(self.path):
                self._db.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_LOG}")
        except StoreError:
            self._joined = False
            raise

    def leave(self) -> None:
        """Work here no more; what has not ended is free for others."""
        with self.transaction():
            self._release(self.owner.id)
        self._joined = False

    def renew(self) -> None:
        """Renew the lease; who was taken for dead, having stood still for long, is back."""
        with self.transaction():
            self._sign_in("DO UPDATE SET lease_until = max(lease_until, excluded.lease_until)")

    def _sign_in(self, or_else: str = "DO NOTHING") -> None:
        """See to it that this engine is known: jobs may be those of a known one alone."""
        who, lease = self.owner, self._clock() + LEASE_SECONDS
        if self._joined:
            self._db.execute(
                f"INSERT INTO engines VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) {or_else}",
                (who.id, who.boot, who.namespace, who.pid, who.born, lease),
            )

    def sync(self) -> None:
        """Have all that was written until now outlive a power cut too.

        Waits for the disk, some milliseconds: too long for each single write. Nobody who reads
        or writes is held up meanwhile: the log has no locks on it, and is moved into the database
        through a connection of its own.
        """
        log = self.path.with_name(self.path.name + "-wal")
        size = 0
        with told(self.path), contextlib.suppress(FileNotFoundError), log.open("r+b") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        if size >= LARGE_LOG:
            move_log(self.path)

    def recover(self) -> list[str]:
        """Free the jobs of those that are gone: what they worked on is interrupted.

        Returns
        -------
        list of str
            The ids of the jobs that were theirs.
        """
        if not self._gone():  # most often: then nothing is written, nor waited for
            return []
        with self.transaction():
            freed = [job_id for engine in self._gone() for job_id in self._release(engine)]
            self._parts.sweep()  # they may have been killed while they wrote
            return freed

    def _gone(self) -> list[str]:
        now = self._clock()
        rows = self._rows("SELECT id, boot, namespace, pid, born, lease_until FROM engines")
        return [
            row[0]
            for row in rows
            if row[0] != self.owner.id and not is_alive(Owner(*row[:5]), row[5], now, self._running)
        ]

    def _release(self, engine: str) -> list[str]:
        rows = self._db.execute(
            "SELECT number, id, state, obstacle, wish FROM jobs WHERE owner = ?", (engine,)
        ).fetchall()
        for number, _, state, obstacle, wish in rows:
            for next_state, message in without_owner(JobState(state), obstacle, wish):
                self._enter(number, next_state, message)
        self._db.execute("DELETE FROM engines WHERE id = ?", (engine,))  # frees its jobs
        return [row[1] for row in rows]

    # ---------------------------------------------------------------- what the owner writes

    def add(
        self,
        job_id: str,
        name: str,
        record: Record | None,
        *,
        obstacle: str = "",
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
            Its task; None where that cannot be kept, which `obstacle` gives the reason of.
        checkpoint : bytes, optional
            Of an earlier job that it goes on from.
        when : float, optional
            When it was submitted (seconds since the epoch); now where not given.
        """
        now = time.time() if when is None else when
        contents = {} if record is None else contents_of(record)
        kind = "" if record is None else record.kind
        values = (
            *(job_id, name, kind, obstacle, priority, statements.object_(needs), max_attempts),
            *(
                statements.array(after),
                statements.array(after_any),
                statements.object_(limits),
                now,
                now,
                state,
            ),
            *(statements.line(now, state, ""), size_of(contents), self.owner.id),
        )
        with self.transaction():
            number = self._insert(values)
            self._parts.add(number, job_id, "task", kind, contents)
            if checkpoint is not None:
                self.put_checkpoint(job_id, checkpoint)

    def _insert(self, values: tuple[Any, ...]) -> int:
        """Add a row; gives its number."""
        try:
            number = self._db.execute(statements.INSERT, values).lastrowid
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            self._sign_in()  # others have taken this engine for dead
            number = self._db.execute(statements.INSERT, values).lastrowid
        assert number is not None
        return number

    def move(
        self, job_id: str, state: JobState, message: str = "", when: float | None = None
    ) -> bool:
        """Let a job of this owner's enter a state; False where it is somebody else's."""
        now = time.time() if when is None else when
        values = (state, message, now, statements.line(now, state, message), job_id, self.owner.id)
        with self.transaction():
            rows = self._db.execute(statements.MOVES[state], values).fetchall()
            if not rows:
                return self._refuse(job_id, state)
            if job_id in self._checkpointed and state.is_terminal:
                self._checkpointed.discard(job_id)
                if state is JobState.SUCCEEDED or (
                    state is JobState.FAILED and not self.was_stopped(job_id)
                ):
                    self._parts.drop(rows[0][0], job_id, "checkpoint")
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

    def put_place(self, job_id: str, place: str) -> None:
        """Keep which cluster a job of this owner's is sent to."""
        with self.transaction():
            self._db.execute(
                "UPDATE jobs SET limits = json_set(limits, '$.place', ?)"
                " WHERE id = ? AND owner = ?",
                (place, job_id, self.owner.id),
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
                "UPDATE jobs SET kind = ?, obstacle = '' WHERE id = ? AND owner = ?",
                (record.kind, job_id, self.owner.id),
            )
            return self.put(job_id, "task", record)

    def put_checkpoint(self, job_id: str, packed: bytes) -> bool:
        """Keep the state of a checkpoint, where it is JSON; a pickled one is kept nowhere."""
        text = state_to_disk(packed)
        self._checkpointed.add(job_id)
        return text is None or self.put(job_id, "checkpoint", Record(PLAIN, text))

    def untidied(self) -> list[str]:
        """Give the jobs that are done, and whose task has not tidied up yet: the ids."""
        rows = self._rows(
            "SELECT id FROM parts JOIN jobs ON number = job WHERE part = ? AND state = ?",
            *(UNTIDIED, JobState.SUCCEEDED),
        )
        return [row[0] for row in rows]

    def tidied(self, job_id: str) -> None:
        """Note that the task of a job has tidied up."""
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
                "SELECT number, state FROM jobs WHERE id = ? AND owner IS NULL AND obstacle = ''",
                (job_id,),
            ).fetchone()
            if row is None or row[1] not in WAITING:
                return None
            self._sign_in()
            self._checkpointed.add(job_id)
            self._db.execute(
                "UPDATE jobs SET owner = ?, wish = '' WHERE number = ?", (self.owner.id, row[0])
            )
            if row[1] != JobState.INTERRUPTED:
                return JobState(row[1])
            self._enter(row[0], JobState.QUEUED)
            return JobState.QUEUED

    def heard(self) -> list[tuple[str, str]]:
        """Give what others want of this owner's jobs, ``(id, wish)``, and strike it off."""
        with self._lock, told(self.path):
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
            if version == self._seen:  # nobody else has written since
                return []
            rows = self._db.execute(
                "SELECT id, wish FROM jobs WHERE owner = ? AND wish <> ''", (self.owner.id,)
            ).fetchall()
            for row in rows:
                self._db.execute("UPDATE jobs SET wish = '' WHERE id = ? AND wish = ?", row)
            self._seen = version
            return rows

    # ---------------------------------------------------------------- what anybody may do

    def ask(self, job_id: str, wish: str) -> bool:
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
        if wish not in WISHES:
            raise InputError(f"unknown wish {wish!r}; {nearest(wish, WISHES)}")
        with self.transaction():
            job = self.find(job_id)
            if job.state not in WISHES[wish]:
                raise InputError(f"job {job.id[:8]} ({job.name}) is {job.state}: cannot {wish} it")
            if job.owner is None:
                self._enter(job.number, JobState.CANCELLED, "cancelled while it waited")
            else:
                self._db.execute("UPDATE jobs SET wish = ? WHERE number = ?", (wish, job.number))
            return job.owner is None

    def ask_priority(self, job_id: str, priority: int) -> bool:
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
            elif job.wish != "cancel":  # who is to be cancelled needs no turn
                wish = priority_wish(priority)
                self._db.execute("UPDATE jobs SET wish = ? WHERE number = ?", (wish, job.number))
            return job.owner is None

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

    # ---------------------------------------------------------------- inside

    def _enter(self, number: int, state: JobState, message: str = "") -> None:
        now = time.time()
        values = (state, message, now, statements.line(now, state, message), number)
        self._db.execute(statements.ENTRIES[state], values).fetchall()
