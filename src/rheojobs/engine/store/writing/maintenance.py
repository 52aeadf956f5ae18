"""Periodic work on a store: requests of other processes, renewal, and jobs of dead engines."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.writing.write_buffer import WriteBuffer

__all__ = ["POLL", "Maintenance"]

logger = logging.getLogger(__name__)

RENEWAL = 5.0
"""Seconds between two renewals of the engine's registration."""

POLL = 0.25
"""Seconds between two reads of the requests of other processes."""

SYNC_DELAY = 0.2
"""Seconds after which a power cut no longer affects what was written."""


class Maintenance:
    """The periodic work on a store, called by the thread that writes; syncs on a thread of its own.

    Parameters
    ----------
    store : JobStore
        The store, which an engine has joined.
    buffer : WriteBuffer
        Writes that are pending; it notes a store that fails.
    on_request : callable
        Called with the id of a job and the request of another process.
    try_again : callable
        Writes what is pending.
    """

    def __init__(
        self,
        store: JobStore,
        buffer: WriteBuffer,
        on_request: Callable[[str, str], object],
        try_again: Callable[[], object],
    ) -> None:
        self._store = store
        self._buffer = buffer
        self._on_request = on_request
        self._try_again = try_again
        self._poll_due = self._renewal_due = 0.0
        self._is_pruned = False
        self._unsynced, self._closed = threading.Event(), threading.Event()
        self._syncer = threading.Thread(target=self._sync, name="rheojobs-sync", daemon=True)
        self._syncer.start()

    def note_written(self) -> None:
        """Schedule a sync, so that the present writes survive a power cut."""
        if not self._unsynced.is_set():  # setting it takes longer than asking
            self._unsynced.set()

    def look(self) -> None:
        """Handle requests, write what is pending, and free jobs of dead engines, each if due."""
        if self._buffer.is_off:
            return
        now = time.monotonic()
        if now >= self._poll_due:
            self._poll_due = now + POLL
            self._guard(self._take_requests)
        if now >= self._renewal_due:
            self._renewal_due = now + RENEWAL
            if self._guard(self._renew) and len(self._buffer):
                self._guard(self._try_again)
            self._guard(self._look_after_others)

    def _guard(self, action: Callable[[], object]) -> bool:
        """Call a function; note a failure of the store, and log any other exception."""
        try:
            action()
            return True
        except StoreError as error:
            self._buffer.note_problem(error)
        except Exception:
            logger.exception("maintenance of the job store failed")
        return False

    def _take_requests(self) -> None:
        for job_id, request in self._store.take_requests():
            try:
                self._on_request(job_id, request)
            except Exception:  # the requests for the other jobs must still be handled
                logger.exception("the request to %s job %s failed", request, job_id[:8])

    def _renew(self) -> None:
        self._store.renew()
        if not len(self._buffer):
            self._buffer.note_success()

    def _look_after_others(self) -> None:
        self._store.recover()
        if not self._is_pruned:
            self._is_pruned = True
            self._store.prune()

    def leave(self) -> None:
        """Write what is pending if possible, then leave the store and close it."""
        if len(self._buffer):
            self._guard(self._buffer.try_again)
        self._guard(self._store.leave)
        if len(self._buffer):
            logger.warning("the records of %d jobs are not in the job store", len(self._buffer))
        self._guard(self._store.close)

    def close(self) -> None:
        """End the thread that syncs."""
        self._closed.set()
        self._unsynced.set()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread."""
        self._syncer.join(timeout)

    def _sync(self) -> None:
        """Sync at intervals, on a thread of its own."""
        while not self._closed.is_set():
            self._unsynced.wait()
            self._unsynced.clear()
            try:
                self._store.sync()
            except StoreError as error:
                logger.warning("%s", error)
            except Exception:
                logger.exception("the latest writes may not survive a power cut")
            self._closed.wait(SYNC_DELAY)
