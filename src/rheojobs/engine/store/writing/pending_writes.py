"""The writes and deliveries that wait for the thread that writes to a store. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections import deque

from rheojobs.engine.delivery.event_bus import Delivery
from rheojobs.engine.events import Progress
from rheojobs.engine.recorder import Outcome
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.writing.write_ops import JobWrites

__all__ = ["Deliveries", "PendingWrites"]

PROGRESS_INTERVAL = 1.0
"""Seconds between two writes of the newest progress of jobs."""

Deliveries = deque[tuple[Delivery, bool]]
"""Deliveries in order, each with whether the thread that writes calls it, and not the bus's."""


class PendingWrites:
    """Collects writes by job, and the deliveries to make after them.

    Parameters
    ----------
    store : JobStore
        The store.

    Attributes
    ----------
    lock : Lock
        Guards everything here.
    latest_progress : dict of str to Progress
        The newest progress of jobs, which is written at intervals.
    may_be_slow : bool
        Whether writing may take long.
    is_closed : bool
        Whether nothing is accepted any more.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.lock = threading.Lock()
        self._fresh: dict[str, JobWrites] = {}
        self._deliveries: Deliveries = deque()
        self.latest_progress: dict[str, Progress] = {}
        self._progress_due = 0.0
        self.may_be_slow = self.is_closed = False

    def __bool__(self) -> bool:
        return bool(self._fresh or self._deliveries)

    def slot(self, job_id: str) -> JobWrites:
        """Return the pending writes of a job, to be changed with the lock held."""
        writes = self._fresh.get(job_id)
        if writes is None:
            writes = JobWrites(job_id)
            if not self.is_closed:  # else nothing is written any more, and this is dropped
                self._fresh[job_id] = writes
        return writes

    def merge(self, writes: JobWrites) -> None:
        """Merge writes of a job into the pending ones."""
        with self.lock:
            self.slot(writes.job_id).absorb(writes, self._store)

    def note_progress(self, job_id: str, progress: Progress) -> None:
        """Add the newest progress of a job."""
        with self.lock:
            self.latest_progress[job_id] = progress

    def note_outcome(self, job_id: str, outcome: Outcome) -> None:
        """Add the outcome of a job, and its last progress."""
        with self.lock:
            writes = self.slot(job_id)
            writes.keep_outcome(outcome)
            self.may_be_slow |= writes.may_be_slow
            last = self.latest_progress.pop(job_id, None)
            writes.progress = writes.progress if last is None else last

    def add_delivery(self, delivery: Delivery, is_here: bool) -> bool:
        """Add a delivery to make after the present writes; False if this is closed."""
        with self.lock:
            if not self.is_closed:
                self._deliveries.append((delivery, is_here))
            return not self.is_closed

    def take(self) -> tuple[dict[str, JobWrites], Deliveries]:
        """Remove and return the writes by job, and the deliveries; progress only if it is due."""
        with self.lock:
            fresh, self._fresh = self._fresh, {}
            deliveries, self._deliveries = self._deliveries, deque()
            self.may_be_slow = False
            if self.latest_progress and time.monotonic() >= self._progress_due:
                self._add_progress(fresh)
            return fresh, deliveries

    def _add_progress(self, fresh: dict[str, JobWrites]) -> None:
        self._progress_due = time.monotonic() + PROGRESS_INTERVAL
        latest, self.latest_progress = self.latest_progress, {}
        for job_id, progress in latest.items():
            fresh.setdefault(job_id, JobWrites(job_id)).progress = progress

    def put_back(self, fresh: dict[str, JobWrites], deliveries: Deliveries) -> None:
        """Put back what was taken and not done, in front of what came meanwhile."""
        with self.lock:
            later, self._fresh = self._fresh, fresh
            for writes in later.values():
                self.slot(writes.job_id).absorb(writes, self._store)
            deliveries.extend(self._deliveries)
            self._deliveries = deliveries

    def close(self) -> Deliveries:
        """Accept nothing any more, and return the remaining deliveries."""
        with self.lock:
            self.is_closed = True
            deliveries, self._deliveries = self._deliveries, deque()
            return deliveries
