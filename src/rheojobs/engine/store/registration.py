"""Who works on the jobs of a store: engines come, renew their lease, leave, or are found gone.

Writes of jobs only what becomes of them when their engine is there no more.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path

from rheojobs.engine.errors import StoreError
from rheojobs.engine.states import JobState
from rheojobs.engine.store import sql
from rheojobs.engine.store.leases import LEASE_SECONDS, Owner, is_alive, without_owner
from rheojobs.engine.store.reader import StoreReader
from rheojobs.engine.store.schema import move_log, translate_errors
from rheojobs.errors import InputError

__all__ = ["Membership"]

LARGE_LOG = 16_000_000
"""Bytes of SQLite's log from which on `JobStore.sync` moves it into the database."""

LONGEST_LOG = 16_000
"""Pages of the log from which on whoever writes moves it, as SQLite does by itself."""


class Membership(StoreReader):
    """An engine's place among those that work on a store.

    Parameters
    ----------
    path : path or None
        The store; the user's own (`default_path`) where it is None.
    clock : callable
        Gives the seconds that leases count in.
    running : callable
        Says whether the process of an `Owner` is there, or None where it cannot be seen.
    """

    def __init__(
        self,
        path: str | Path | None,
        clock: Callable[[], float],
        running: Callable[[Owner], bool | None],
    ) -> None:
        super().__init__(path)
        self._clock = clock
        self._running = running
        self._joined = False

    @functools.cached_property
    def owner(self) -> Owner:
        """Who works on jobs through this object; to find that out takes longer than a look."""
        return Owner()

    def join(self) -> None:
        """Begin to work here: jobs may be added and taken from now on."""
        if self._joined:
            raise InputError(f"this JobStore of {self.path} has an engine already: make another")
        self._joined = True
        try:
            self.renew()
            with self._lock, translate_errors(self.path):
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
        with (
            translate_errors(self.path),
            contextlib.suppress(FileNotFoundError),
            log.open("r+b") as file,
        ):
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
            "SELECT number, id, state, not_durable_because, request FROM jobs"
            " WHERE owner = ? ORDER BY number",
            (engine,),
        ).fetchall()
        for number, _, state, not_durable_because, request in rows:
            for next_state, message in without_owner(JobState(state), not_durable_because, request):
                self._enter(number, next_state, message)
        self._db.execute("DELETE FROM engines WHERE id = ?", (engine,))  # frees its jobs
        return [row[1] for row in rows]

    def _enter(self, number: int, state: JobState, message: str = "") -> None:
        now = time.time()
        values = (state, message, now, sql.line(now, state, message), number)
        self._db.execute(sql.ENTRIES[state], values)
