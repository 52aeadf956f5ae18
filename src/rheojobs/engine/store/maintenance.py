"""What a store asks of an engine besides writing: a lease, an ear for others, a look at the gone.

Knows neither jobs nor in which order they are written.
"""

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
    backlog : WriteBuffer
        What could not be written yet; it is told of a store that fails.
    on_request : callable
        Called with the id of a job and what another process wants of it.
    write_backlog : callable
        Writes what had to wait, as the store works again.
    """

    def __init__(
        self,
        store: JobStore,
        backlog: WriteBuffer,
        on_request: Callable[[str, str], object],
        write_backlog: Callable[[], object],
    ) -> None:
        self._store = store
        self._backlog = backlog
        self._on_request = on_request
        self._write_backlog = write_backlog
        self._poll_due = self._renewal_due = self._recovery_due = 0.0
        self._is_pruned = False
        self._unsynced, self._closed = threading.Event(), threading.Event()
        self._syncer = threading.Thread(target=self._sync, name="rheojobs-sync", daemon=True)
        self._syncer.start()

    def note_written(self) -> None:
        """Have what was written just now outlive a power cut, in a while."""
        if not self._unsynced.is_set():  # to set it takes its time
            self._unsynced.set()

    def look(self) -> None:
        """Hear what others want, renew the lease, and see who is gone, each when it is due."""
        now = time.monotonic()
        if now >= self._poll_due:
            self._poll_due = now + POLL
            with self._backlog.watched():
                for job_id, request in self._store.take_requests():
                    self._on_request(job_id, request)
        if now >= self._renewal_due:
            self._renewal_due = now + RENEWAL
            with self._backlog.watched():
                self._renew()
        if now >= self._recovery_due:
            self._recovery_due = now + RENEWAL
            with self._backlog.watched():
                self._store.recover()
                if not self._is_pruned:
                    self._is_pruned = True
                    self._store.prune()

    def leave(self) -> None:
        """Leave the store and close it; what still waits is tried once more."""
        with self._backlog.watched():
            self._renew()
            self._store.leave()
        if len(self._backlog):
            logger.warning("%d entries are not in the job store", len(self._backlog))
        with self._backlog.watched():
            self._store.close()

    def close(self) -> None:
        """Let the thread end that waits for the disk."""
        self._closed.set()
        self._unsynced.set()

    def join(self, timeout: float) -> None:
        """Wait for its end."""
        self._syncer.join(timeout)

    def _renew(self) -> None:
        self._store.renew()
        if self._backlog.may_go_on():
            self._write_backlog()

    def _sync(self) -> None:
        """Wait for the disk now and then, in a thread that nobody waits for."""
        while not self._closed.is_set():
            self._unsynced.wait()
            self._unsynced.clear()
            try:
                self._store.sync()
            except StoreError as error:
                logger.warning("%s", error)
            self._closed.wait(SYNC_DELAY)
