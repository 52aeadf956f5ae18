"""Entries on their way into a store: what cannot be written now waits for a better time.

Says once that the store fails, and once that it works again. Knows no threads.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store.job_store import JobStore
from rheojobs.engine.store.write_ops import Entry, joined

__all__ = ["WriteBuffer"]

logger = logging.getLogger(__name__)


class WriteBuffer:
    """What is not written yet.

    Parameters
    ----------
    store : JobStore
        Where it is to be written.

    Attributes
    ----------
    problem : str
        Why nothing is written at present; empty where all is well.
    is_off : bool
        Whether nothing will be written any more.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._entries: list[Entry] = []
        self.problem = ""
        self.is_off = False

    def __len__(self) -> int:
        return len(self._entries)

    def write(self, entries: list[Entry]) -> set[str] | None:
        """Write entries after those that wait, all or none.

        Returns
        -------
        set of str or None
            The jobs that are somebody else's by now; None where nothing was written.
        """
        for entry in entries:
            if entry.failed is not None:
                self._note(entry.failed)
        if self.is_off:
            return None
        self._entries = joined(self._entries + entries)
        if self.problem or not self._entries:
            return None
        try:
            lost = self._write_all(self._entries)
        except StoreError as error:
            self._note(error)
            return None
        self._entries = []
        return lost

    def _write_all(self, entries: list[Entry]) -> set[str]:
        for entry in entries:
            entry.get_ready()
        if len(entries) == 1:  # what it writes is on disk by itself
            return set() if self.write_one(entries[0]) else {entries[0].job_id}
        with self._store.transaction():
            return {entry.job_id for entry in entries if not self.write_one(entry)}

    def write_one(self, entry: Entry) -> bool:
        """Write one entry, now; False where its job is somebody else's by now."""
        try:
            if (event := entry.event) is not None:
                change = event.state, event.message, event.time, entry.began, entry.result
                return self._store.move(entry.job_id, *change)
            return entry.write is None or entry.write() is not False
        except StoreError:
            raise
        except Exception:  # a fault of ours must not take the other jobs' record with it
            logger.exception("the record of job %s is not complete", entry.job_id)
            return True

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Take note of a store that fails meanwhile."""
        try:
            yield
        except StoreError as error:
            self._note(error)

    def may_go_on(self) -> bool:
        """Say whether to try again what had to wait, since the store works again."""
        if not self.problem or self.is_off:
            return False
        logger.warning("the job store %s works again", self._store.path)
        self.problem = ""
        return True

    def _note(self, error: StoreError) -> None:
        if not self.problem:
            logger.warning("%s; the jobs go on, in memory", error)
        self.problem = str(error)
        if error.is_lasting:
            self.is_off = True
            self._entries.clear()
