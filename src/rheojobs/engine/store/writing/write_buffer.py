"""A bounded buffer of pending writes to a store, by job, so that one job does not delay others.

Used by one thread at a time.
"""

from __future__ import annotations

import logging
import time

from rheojobs.engine.errors import EntryError, StoreError
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.writing.write_ops import JobWrites

__all__ = ["WriteBuffer"]

logger = logging.getLogger(__name__)

HELD_SECONDS = 5.0
"""Seconds until failed writes of one job are tried again, while others succeed."""

MOST_BYTES = 64_000_000
"""Bytes of pending writes; above that, the oldest results are not written any more."""

LIMIT_SECONDS = 0.5
"""Seconds between two checks of the size."""

NO_ROOM = "the job store could not be written for too long"


class WriteBuffer:
    """The pending writes, by job.

    Parameters
    ----------
    store : JobStore
        The store.

    Attributes
    ----------
    problem : str
        Why nothing is written at present; empty if writing works.
    is_off : bool
        Whether nothing will be written any more.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._waiting: dict[str, JobWrites] = {}
        self._held: dict[str, float] = {}  # times of the next try, by job
        self._unrecorded: set[str] = set()  # jobs that can never be written
        self._is_full = False
        self._limit_due = 0.0
        self.problem = ""
        self.is_off = False

    def __len__(self) -> int:
        return len(self._waiting)

    def write(self, fresh: dict[str, JobWrites]) -> set[str]:
        """Write pending and new writes; `fresh` is emptied, and what fails stays pending.

        Returns
        -------
        set of str
            The jobs that now belong to another application.
        """
        for job_id in list(fresh):
            self._take_in(fresh[job_id])
            del fresh[job_id]
        if self.is_off:
            self._waiting.clear()
            return set()
        if self.problem:
            self._limit()
            return set()
        return self._write_all()

    def try_again(self) -> set[str]:
        """Try all pending writes again; return the jobs that now belong to another application."""
        self._held.clear()
        return set() if self.is_off else self._write_all()

    def note_problem(self, error: StoreError) -> None:
        """Note that the store cannot be written at present."""
        if not self.problem:
            logger.warning("%s; the jobs continue, in memory", error)
        self.problem = str(error)
        if error.is_lasting:
            self.is_off = True
            self._waiting.clear()

    def note_success(self) -> None:
        """Note that the store could be written."""
        if self.problem and not self.is_off:
            logger.warning("the job store %s works again", self._store.path)
            self.problem = ""
            self._is_full = False

    def _take_in(self, writes: JobWrites) -> None:
        job_id = writes.job_id
        if job_id in self._unrecorded:
            if writes.has_ended:
                self._unrecorded.discard(job_id)
            return
        before = self._waiting.get(job_id)
        if before is None:
            self._waiting[job_id] = writes
        else:
            before.absorb(writes, self._store)

    def _write_all(self) -> set[str]:
        now = time.monotonic()
        ready = []
        for writes in list(self._waiting.values()):
            if self._held.get(writes.job_id, now) <= now and self._is_ready(writes):
                ready.append(writes)
        if not ready:
            return set()
        try:
            lost = self._commit(ready)
        except StoreError as error:
            lost = self._commit_singly(ready, error)
        return lost

    def _is_ready(self, writes: JobWrites) -> bool:
        """Encode the writes of a job, and write its files; False if these must wait."""
        writes.encode()
        try:
            writes.prepare(self._store)
        except OSError as error:  # a `StoreError` too
            self._hold(writes, error)
            return False
        return True

    def _commit(self, ready: list[JobWrites]) -> set[str]:
        """Write all, or nothing."""
        lost: set[str] = set()
        failed: dict[str, str] = {}
        if len(ready) == 1 and ready[0].is_one_statement:
            self._apply(ready[0], lost, failed)
        else:
            with self._store.transaction():
                for writes in ready:
                    self._apply(writes, lost, failed)
        for writes in ready:
            self._waiting.pop(writes.job_id, None)
            self._held.pop(writes.job_id, None)
        for writes in ready:
            if (reason := failed.get(writes.job_id)) is not None:
                self._give_up(writes, reason)
        self.note_success()
        return lost

    def _apply(self, writes: JobWrites, lost: set[str], failed: dict[str, str]) -> None:
        try:
            if not writes.apply(self._store) and self._store.is_taken(writes.job_id):
                lost.add(writes.job_id)
        except EntryError as error:
            failed[writes.job_id] = str(error)

    def _give_up(self, writes: JobWrites, reason: str) -> None:
        """Drop the writes of a job that can never be written."""
        logger.warning("job %s is not stored on disk: %s", writes.job_id[:8], reason)
        if writes.new is not None:
            writes.new.on_failure(reason)
        writes.drop_parts(self._store, reason)
        if not writes.has_ended:
            self._unrecorded.add(writes.job_id)

    def _commit_singly(self, ready: list[JobWrites], error: StoreError) -> set[str]:
        """Write each job separately after a failure, unless the store itself fails."""
        lost: set[str] = set()
        failed: list[tuple[JobWrites, StoreError]] = []
        if not error.is_lasting and self._can_write():
            for writes in ready:
                try:
                    lost |= self._commit([writes])
                except StoreError as fault:
                    failed.append((writes, fault))
            if len(failed) < max(2, len(ready)):
                for writes, fault_of_its_own in failed:
                    self._hold(writes, fault_of_its_own)
                return lost
        self.note_problem(error)
        self._limit()
        return lost

    def _can_write(self) -> bool:
        try:
            self._store.renew()
        except StoreError:
            return False
        return True

    def _hold(self, writes: JobWrites, error: OSError) -> None:
        """Try one job's writes again later, without delaying the others."""
        if not self._held:  # logged once for all of them
            logger.warning("the record of job %s has to wait: %s", writes.job_id[:8], error)
        self._held[writes.job_id] = time.monotonic() + HELD_SECONDS
        self._limit()

    def _limit(self) -> None:
        """Drop the oldest results if too much is pending; checked at intervals."""
        if time.monotonic() < self._limit_due:
            return
        self._limit_due = time.monotonic() + LIMIT_SECONDS
        for writes in self._waiting.values():
            writes.encode()  # so that its size is known, and the objects are freed
        weight = sum(writes.weight for writes in self._waiting.values())
        if weight <= MOST_BYTES:
            return
        if not self._is_full:
            self._is_full = True
            logger.warning("%s: results of jobs that have ended stay in memory", NO_ROOM)
        for writes in list(self._waiting.values()):
            weight -= writes.weight
            writes.drop_parts(self._store, NO_ROOM)
            if writes.has_ended:
                del self._waiting[writes.job_id]
                self._held.pop(writes.job_id, None)
            else:
                weight += writes.weight
            if weight <= MOST_BYTES // 2:
                return
