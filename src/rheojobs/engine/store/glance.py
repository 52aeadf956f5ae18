"""What has changed in a store since the last look: jobs of other processes and of earlier times.

Reading makes no task and no result. It may wait for the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rheojobs.engine.states import JobState
from rheojobs.engine.store import StoredJob
from rheojobs.engine.store.reader import StoreReader
from rheojobs.errors import InputError

__all__ = ["Glance", "SeenJob", "StoreGlance"]

HISTORY = 1000
"""How many of the jobs that ended before are shown."""

NEWEST = 50
"""Among how many of the newest jobs those are looked for that begin and end between two looks."""

_OPEN = tuple(state for state in JobState if not state.is_terminal)
_ENDED = tuple(state for state in JobState if state.is_terminal)


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A job of the store.

    Attributes
    ----------
    stored : StoredJob
        Its row.
    model, data : str
        What it fits, and to what; empty where its task does not say.
    started : float or None
        When it began to run (seconds since the epoch).
    """

    stored: StoredJob
    model: str
    data: str
    started: float | None

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process works on it, or will."""
        return self.stored.pid is not None and self.stored.pid != os.getpid()


@dataclass(frozen=True, slots=True)
class Glance:
    """The jobs that have changed since the last look, the oldest first; the ids of those gone."""

    news: tuple[SeenJob, ...] = ()
    gone: tuple[str, ...] = ()


class StoreGlance:
    """Looks at a store, and remembers what it has seen.

    Parameters
    ----------
    path : path
        Of the store.
    owner : str
        The id of the engine whose jobs are left out while it has them: it reports them itself.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._reader: StoreReader | None = None
        self._version = -1
        self._open: dict[str, StoredJob] = {}
        self._ended: set[str] = set()
        self._words: dict[str, tuple[str, str]] = {}

    def look(self) -> Glance:
        """Return what has changed; raise `StoreError` if the store cannot be read."""
        is_first = self._reader is None
        if self._reader is None:
            self._reader = StoreReader(self._path)
        version = self._reader.version()
        if version == self._version:
            return Glance()
        here = self._reader.jobs(_OPEN, besides=self._owner)
        ended = self._reader.jobs(_ENDED, limit=HISTORY if is_first else NEWEST)
        there = {job.id for job in (*here, *ended)}
        found, gone = self._find(job_id for job_id in self._open if job_id not in there)
        news = [job for job in here if job != self._open.get(job.id)]
        news += [job for job in (*ended, *found) if job.id not in self._ended]
        news.sort(key=lambda job: job.number)
        self._open = {job.id: job for job in here}
        self._ended.update(job.id for job in (*ended, *found))
        self._version = version
        return Glance(tuple(self._seen(news)), tuple(gone))

    def close(self) -> None:
        """Close the store."""
        if self._reader is not None:
            self._reader.close()

    def _find(self, lost: Iterable[str]) -> tuple[list[StoredJob], list[str]]:
        """Look up one by one the jobs that others had and have no longer."""
        assert self._reader is not None
        found, gone = [], []
        for job_id in lost:
            try:
                job = self._reader.find(job_id)
            except InputError:
                gone.append(job_id)
            else:
                found += [job] if job.state.is_terminal else []  # else the engine has it now
        return found, gone

    def _seen(self, jobs: list[StoredJob]) -> Iterable[SeenJob]:
        assert self._reader is not None
        started = self._reader.first_starts(job.number for job in jobs)
        strange = [job.number for job in jobs if job.id not in self._words]
        models = self._reader.task_words(strange, "model") if strange else {}
        data = self._reader.task_words(strange, "data", "$Dataset", "name") if strange else {}
        for job in jobs:
            words = (models.get(job.number, ""), data.get(job.number, ""))
            model, name = self._words.setdefault(job.id, words)
            yield SeenJob(job, model, name, started.get(job.number))
            if job.state.is_terminal:
                del self._words[job.id]
