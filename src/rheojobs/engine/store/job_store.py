"""The job store: the durable record of jobs and of the engine that works on each. Thread-safe.

Several engines, in several processes of one machine, may work on one store; a job has at most one
owner.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import StoreElsewhereError
from rheojobs.engine.events import Progress
from rheojobs.engine.serialization import PLAIN, Record, is_json, state_to_disk, utf8
from rheojobs.engine.states import JobState
from rheojobs.engine.store import sql
from rheojobs.engine.store.commands import Commands
from rheojobs.engine.store.database import Database
from rheojobs.engine.store.filesystems import network_type
from rheojobs.engine.store.job_rows import JobRows
from rheojobs.engine.store.leases import Leases, Owner
from rheojobs.engine.store.payloads import Prepared, row_text
from rheojobs.engine.store.pruning import MAX_AGE, MAX_BYTES, prune, remove
from rheojobs.engine.store.reader import UNTIDIED, StoreReader, default_path, resolved
from rheojobs.engine.store.stored_job import StoredJob

__all__ = ["UNTIDIED", "JobStore", "Prepared", "StoredJob", "default_path"]

LONGEST_LOG = 16_000
"""Pages of SQLite's log above which a writer moves it into the database."""


class JobStore(StoreReader):
    """A job store that can be read and written.

    Methods that write raise `StoreError` if the store cannot be written at present, and
    `EntryError` if this entry can never be written.

    Parameters
    ----------
    path : path, optional
        The database, by default that of the user (`default_path`); it is created if missing.

    Raises
    ------
    StoreElsewhereError
        If it is on a network file system, or in use on another machine. `StoreReader` reads it.
    StoreError
        If it cannot be opened.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        path = resolved(path)
        if kind := network_type(path.parent):
            raise StoreElsewhereError(
                f"the job store {path} is on a network file system ({kind}), where jobs would be "
                "lost: set RHEOJOBS_STATE_DIR to a folder on a disk of this machine"
            )
        super().__init__(path)
        self._leases = Leases(self._db, self._files)
        self._rows = JobRows(self._db, self._leases)
        self._commands = Commands(self._db)
        self._checkpointed: set[str] = set()  # jobs of this engine that may have a checkpoint
        try:
            self._leases.check_machines()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the store, and release the lock of an engine that has not left; may be repeated."""
        self._leases.let_go()
        super().close()

    def transaction(self) -> Database:
        """Return a context: all writes within are on disk together, or none is."""
        return self._db

    # ---------------------------------------------------------------- the engine

    @property
    def owner(self) -> Owner:
        """The engine that works on jobs through this object."""
        return self._leases.owner

    def join(self) -> None:
        """Register this engine: jobs may be added and taken from now on."""
        self._db.rows(f"PRAGMA wal_autocheckpoint = {LONGEST_LOG}")
        self._leases.join()

    def leave(self) -> None:
        """Unregister this engine; its jobs that have not ended are free for others."""
        self._leases.leave()

    def renew(self) -> None:
        """Renew the registration of this engine; raise `StoreError` if it cannot be written."""
        self._leases.renew()

    def sync(self) -> None:
        """Make all earlier writes survive a power cut too; waits for the disk."""
        self._db.sync()

    def recover(self) -> list[str]:
        """Free the jobs of dead engines, and return their ids; those that ran are interrupted."""
        freed = self._leases.recover()
        if freed is not None:
            self._sweep()
        return freed or []

    def _sweep(self) -> None:
        """Remove files of engines that were killed while writing them."""
        self._payloads.sweep()
        with self._db:
            self._leases.sweep()

    # ---------------------------------------------------------------- what the owner writes

    def prepare(self, job_id: str, part: str, record: Record) -> Prepared:
        """Return a part of a job that is ready to be put, with its large files on disk.

        It may take long, but needs no transaction, so it delays no other writer. A part that is not
        put must be discarded (`discard`), else its files stay until this engine has ended.
        """
        return self._payloads.prepare(job_id, part, record, self.owner.id)

    def prepare_checkpoint(self, job_id: str, packed: bytes) -> Prepared | None:
        """Return a checkpoint that is ready to be put; None for a pickled one, never stored."""
        text = state_to_disk(packed)
        return None if text is None else self.prepare(job_id, "checkpoint", Record(PLAIN, text))

    def discard(self, prepared: Prepared) -> None:
        """Remove the files of a prepared part that will not be put."""
        self._payloads.discard(prepared)

    def add(
        self,
        job_id: str,
        name: str,
        record: Record | Prepared | None,
        *,
        not_durable_because: str = "",
        priority: int = 0,
        needs: Mapping[str, float] | None = None,
        max_attempts: int = 1,
        after: Iterable[str] = (),
        after_any: Iterable[str] = (),
        limits: Mapping[str, Any] | None = None,
        not_before: float | None = None,
        retry: Mapping[str, Any] | None = None,
        state: JobState = JobState.QUEUED,
        checkpoint: bytes | Prepared | None = None,
        when: float | None = None,
    ) -> None:
        """Add a new job of this engine.

        Parameters
        ----------
        record : Record, Prepared or None
            Its task; None if that cannot be stored, for the reason `not_durable_because`.
        not_before : float, optional
            When it may start at the earliest (seconds since the epoch).
        retry : mapping, optional
            Its retry policy, as JSON.
        checkpoint : bytes or Prepared, optional
            The state of an earlier job that it continues.
        when : float, optional
            When it was submitted (seconds since the epoch), by default now.
        """
        now = time.time() if when is None else when
        task = None
        if isinstance(record, Record) and not record.blobs:
            task = row_text(record.content)
        given = (
            ("task", None if task is not None else record),
            ("checkpoint", self._checkpoint_record(job_id, checkpoint)),
        )
        parts = [self._prepared(job_id, part, it) for part, it in given if it is not None]
        values = {
            "id": job_id,
            "name": utf8(name),
            "task_type": "" if record is None else record.kind,
            "not_durable_because": utf8(not_durable_because),
            "priority": priority,
            "needs": sql.object_(needs),
            "max_attempts": max_attempts,
            "after": sql.array(after),
            "after_any": sql.array(after_any),
            "limits": sql.limits(limits),
            "not_before": not_before,
            "retry": sql.object_(retry) if retry else "",
            "created": now,
            "changed": now,
            "state": state,
            "history": sql.line(now, state, ""),
            "bytes": len(task or "") + sum(part.size for part in parts),
            "owner": self.owner.id,
            "task": task,
        }
        if not parts:
            self._rows.insert(values)
            return
        with self._discarding([part for part in parts if part not in (record, checkpoint)]):
            number = self._rows.insert(values)
            for part in parts:
                self._payloads.add(number, part)

    @contextlib.contextmanager
    def _discarding(self, new: Sequence[Prepared]) -> Iterator[None]:
        """Begin a transaction, and remove the files of new parts if it is rolled back."""
        try:
            with self._db:
                for prepared in new:
                    self._payloads.discard_if_undone(prepared)
                yield
        except BaseException:
            for prepared in new:
                self.discard(prepared)
            raise

    def move(
        self,
        job_id: str,
        state: JobState,
        message: str = "",
        when: float | None = None,
        began: float | None = None,
        result: str | None = None,
    ) -> bool:
        """Change the state of a job; return False if it is not this engine's.

        Parameters
        ----------
        when : float, optional
            Seconds since the epoch, by default now.
        began : float, optional
            When it began to run, if that is written together with the next state.
        result : str, optional
            The result of a job that succeeds, as `row_text` returns it.
        """
        change = job_id, state, utf8(message), when, began, result
        if not (job_id in self._checkpointed and state.is_terminal):
            return self._rows.move(*change)
        with self._db:
            if not self._rows.move(*change):
                return False
            self._checkpointed.discard(job_id)
            if state is JobState.SUCCEEDED or (
                state is JobState.FAILED and not self.was_stopped(job_id)
            ):
                self._drop(job_id, "checkpoint")
            return True

    def give_away(self, job_id: str, message: str) -> bool:
        """Free a job of this engine for others; it is interrupted if it was running."""
        with self._db:
            return self._rows.give_away(job_id, utf8(message))

    def put_cluster_address(self, job_id: str, cluster_address: str) -> None:
        """Store the address of the cluster to which a job of this engine is sent."""
        self._rows.set(job_id, cluster_address=utf8(cluster_address))

    def put_priority(self, job_id: str, priority: int) -> None:
        """Store the priority of a job of this engine."""
        self._rows.set(job_id, priority=priority)

    def put_progress(self, job_id: str, progress: Progress) -> bool:
        """Store the newest progress of a job; return False if it is not this engine's."""
        metrics = {key: value for key, value in progress.metrics.items() if is_json(value)}
        fields = [progress.current, progress.total, progress.message, progress.stage, metrics]
        return self._rows.set(job_id, progress=sql.text(fields))

    def put(self, job_id: str, part: str, record: Record | Prepared) -> bool:
        """Store a part of a job; return False if it is not this engine's.

        A `Prepared` part may be put again if the transaction is rolled back.
        """
        prepared = self._prepared(job_id, part, record)
        with self._discarding([] if prepared is record else [prepared]):
            if (found := self._rows.own(job_id)) is not None:
                self._payloads.put(found[0], prepared)
                if part == "task":
                    kind = prepared.kind
                    self._rows.set(job_id, task_type=kind, not_durable_because="", task=None)
        if found is None:
            self.discard(prepared)
        return found is not None

    def put_task(self, job_id: str, record: Record | Prepared) -> bool:
        """Store the task of a job of this engine, which could not be stored until now."""
        return self.put(job_id, "task", record)

    def put_checkpoint(self, job_id: str, packed: bytes | Prepared) -> bool:
        """Store the state of a checkpoint if it is JSON; a pickled one is not stored."""
        record = self._checkpoint_record(job_id, packed)
        return record is None or self.put(job_id, "checkpoint", record)

    def _checkpoint_record(
        self, job_id: str, packed: bytes | Prepared | None
    ) -> Record | Prepared | None:
        if packed is None:
            return None
        self._checkpointed.add(job_id)
        if isinstance(packed, Prepared):
            return packed
        text = state_to_disk(packed)
        return None if text is None else Record(PLAIN, text)

    def _prepared(self, job_id: str, part: str, record: Record | Prepared) -> Prepared:
        return record if isinstance(record, Prepared) else self.prepare(job_id, part, record)

    def _drop(self, job_id: str, part: str) -> None:
        for row in self._db.rows("SELECT number FROM jobs WHERE id = ?", (job_id,)):
            self._payloads.drop(row[0], job_id, part)

    def tidied(self, job_id: str) -> None:
        """Store that the leftover of a job is removed."""
        with self._db:
            self._drop(job_id, UNTIDIED)

    def take(self, job_id: str) -> JobState | None:
        """Become the owner of a waiting job that has none.

        Returns
        -------
        JobState or None
            Its new state, queued or blocked; None if another engine was faster.
        """
        with self._db:
            state = self._rows.take(job_id)
        if state is not None:
            self._checkpointed.add(job_id)
        return state

    def is_taken(self, job_id: str) -> bool:
        """Return whether a job now belongs to another engine; False if it was removed."""
        return self._rows.is_taken(job_id)

    def take_requests(self) -> list[tuple[str, str]]:
        """Return and remove the requests for this engine's jobs, ``(id, request)``."""
        return self._commands.take(self.owner.id)

    # ---------------------------------------------------------------- what anybody may do

    def request(self, job_id: str, request: str) -> bool:
        """Request to cancel, pause or resume a job.

        Returns
        -------
        bool
            Whether it is done already, since the job has no owner; else its owner reads the request
            within a second.

        Raises
        ------
        InputError
            If that is not possible in the job's state.
        """
        with self._db:
            return self._commands.request(self.find(job_id), request)

    def request_priority(self, job_id: str, priority: int) -> bool:
        """Request another priority for a waiting job; returns what `request` returns.

        Raises
        ------
        InputError
            If the job does not wait.
        """
        with self._db:
            return self._commands.request_priority(self.find(job_id), priority)

    def untag(self, job_id: str) -> None:
        """Remove the tags of a job."""
        statement = "UPDATE jobs SET limits = json_remove(limits, '$.tags') WHERE id = ?"
        self._db.execute(statement, (job_id,))

    def remove(self, job_id: str) -> None:
        """Remove a job that has ended; raise `InputError` if it has not."""
        self._payloads.check()
        with self._db:
            job = self.find(job_id)
            remove(self._db, job)
        self._payloads.remove_files([job.id])

    def prune(self, max_age: float = MAX_AGE, max_bytes: float = MAX_BYTES) -> int:
        """Remove the oldest ended jobs; return how many.

        Parameters
        ----------
        max_age : float
            Seconds after their end from which on they are removed.
        max_bytes : float
            The most bytes of all jobs.
        """
        self._sweep()
        return prune(self._db, self._payloads, max_age, max_bytes)
