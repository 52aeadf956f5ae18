"""What an engine does for its store besides writing: others' requests, and jobs of the dead."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.write_buffer import WriteBuffer

__all__ = ["POLL", "Maintenance"]

logger = logging.getLogger(__name__)

RENEWAL = 5.0
"""Seconds between two renewals of the lease: several fit into one lease."""

POLL = 0.25
"""Seconds between two looks at what other processes want of the jobs."""

SYNC_DELAY = 0.2
"""Seconds after which a loss of power takes nothing of what was written."""


class Maintenance:
    """Looks after a store on behalf of the thread that writes to it; waits for the disk itself.

    Parameters
    ----------
    store : JobStore
        That an engine has joined.
    buffer : WriteBuffer
        What could not be written yet; it notes a store that fails.
    on_request : callable
        Called with the id of a job and what another process wants of it.
    try_again : callable
        Writes what had to wait.
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
        """Have what was written just now outlive a power cut, in a while."""
        if not self._unsynced.is_set():  # to set it takes its time
            self._unsynced.set()

    def look(self) -> None:
        """Take the requests of others, try what had to wait, and free jobs of the dead, in time."""
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
        """Do something; a store that fails meanwhile is noted, and any other fault logged."""
        try:
            action()
            return True
        except StoreError as error:
            self._buffer.note_problem(error)
        except Exception:
            logger.exception("the job store could not be looked after")
        return False

    def _take_requests(self) -> None:
        for job_id, request in self._store.take_requests():
            try:
                self._on_request(job_id, request)
            except Exception:  # one job's request must not lose the others'
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
        """Leave the store and close it; what still waits is tried once more."""
        if len(self._buffer):
            self._guard(self._buffer.try_again)
        self._guard(self._store.leave)
        if len(self._buffer):
            logger.warning("the records of %d jobs are not in the job store", len(self._buffer))
        self._guard(self._store.close)

    def close(self) -> None:
        """Let the thread end that waits for the disk."""
        self._closed.set()
        self._unsynced.set()

    def join(self, timeout: float) -> None:
        """Wait for its end."""
        self._syncer.join(timeout)

    def _sync(self) -> None:
        """Wait for the disk now and then, in a thread of its own."""
        while not self._closed.is_set():
            self._unsynced.wait()
            self._unsynced.clear()
            try:
                self._store.sync()
            except StoreError as error:
                logger.warning("%s", error)
            except Exception:
                logger.exception("what was written may not outlive a power cut")
            self._closed.wait(SYNC_DELAY)
