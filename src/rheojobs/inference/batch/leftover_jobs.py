"""Find the jobs that a killed batch left in the store, so that the same batch continues them.

They may still run on a cluster, or have ended there: if submitted again, they would run twice.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from rheojobs.engine import Job, JobEngine, JobState
from rheojobs.engine.executors.cluster_probe import is_gone
from rheojobs.engine.store import StoredJob
from rheojobs.errors import InputError

__all__ = ["LeftJobs"]

logger = logging.getLogger(__name__)


class LeftJobs:
    """The jobs of a batch, by their folder and fingerprint.

    Parameters
    ----------
    engine : JobEngine
        The engine that continues the batch.
    out : Path
        The folder of the batch.
    elsewhere : bool
        Whether to restart jobs too that may still run on a cluster which is not the engine's.

    Raises
    ------
    InputError
        If there are such jobs, and `elsewhere` is not set.
    """

    def __init__(self, engine: JobEngine, out: Path, elsewhere: bool = False) -> None:
        self._engine = engine
        self._elsewhere = elsewhere
        self._tag = f"batch:{_digest(str(out.resolve()))}"
        self._left: dict[str, StoredJob] = {}
        if engine.store is None:
            return
        engine.recover()
        for job in engine.store.tagged(self._tag):
            if job.can_be_taken or job.state is JobState.SUCCEEDED:
                self._left |= dict.fromkeys(job.limits["tags"][1:], job)
        if not elsewhere:
            self._check_places()

    def _check_places(self) -> None:
        here = ("", self._engine.executor.cluster_address)
        places = [
            job.cluster_address for job in self._left.values() if job.cluster_address not in here
        ]
        for place in dict.fromkeys(places):
            if not is_gone(place):
                count = places.count(place)
                raise InputError(
                    f"{count} {'jobs' if count > 1 else 'job'} of this batch may still run on "
                    f"{place}: continue there ({{cluster}} {place}), or with {{elsewhere}} if you "
                    "know that they do not",
                    options=("cluster", "elsewhere"),
                )

    def tags(self, folder: Path, fingerprint: str) -> tuple[str, str]:
        """Return the tags by which a job is found.

        Parameters
        ----------
        folder : Path
            The folder of its results: two files may have the same content.
        fingerprint : str
            The digest of all that its result depends on.
        """
        return self._tag, f"step:{_digest(f'{folder.resolve()} {fingerprint}')}"

    def take(self, tags: tuple[str, str]) -> StoredJob | None:
        """Return a leftover job if its task can be read; at most once."""
        left = self._left.pop(tags[1], None)
        if left is None or left.state is JobState.SUCCEEDED:
            return left
        assert self._engine.store is not None
        try:
            self._engine.store.task(left.id)
        except InputError as error:  # of another version of rheojobs, for example
            logger.warning("job %s is submitted again: %s", left.id[:8], error)
            return None
        return left

    def resume(self, left: StoredJob) -> Job:
        """Resume a leftover job, with its limits."""
        return self._engine.resume_job(left.id, elsewhere=self._elsewhere)

    def result(self, left: StoredJob) -> tuple[Any, float]:
        """Return the result of a finished job, or None, and the seconds that it ran."""
        store = self._engine.store
        assert store is not None
        try:
            result = store.result(left.id)
        except (InputError, OSError) as error:
            logger.info("the result of job %s cannot be read: %s", left.id[:8], error)
            return None, 0.0
        began = store.first_starts([left.number]).get(left.number, left.changed)
        return result, left.changed - began

    def settle(self, job_id: str) -> None:
        """Mark that the result of a job is stored in its folder, so that it is not found again."""
        if self._engine.store is not None:
            self._engine.store.untag(job_id)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
