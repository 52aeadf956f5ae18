"""What a person may want of a job, wherever it is: here, with another process, or with nobody.

Each method may wait for the disk, and is for a thread that nobody waits for. Knows no Qt.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rheojobs.engine import JobEngine
from rheojobs.engine.job import Job
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore, StoredJob
from rheojobs.engine.store.commands import requested_priority
from rheojobs.errors import InputError

__all__ = ["JobControl", "Kept", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The jobs that an application that is gone has left: the interrupted, and those not begun."""

    interrupted: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.interrupted or self.queued)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store has of a job: its name, its task, and its result or what there is of it."""

    job_id: str
    name: str
    task: Any
    result: Any


class JobControl:
    """Speaks with an engine of its own jobs, and with its store of all others.

    Parameters
    ----------
    engine : JobEngine
        The engine.
    """

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine
        self._opened: JobStore | None = None

    def cancel(self, job_id: str) -> None:
        """Stop a job, or take it from the queue."""
        if not self._here(job_id, "cancel"):
            self._store().request(job_id, "cancel")

    def pause(self, job_id: str) -> None:
        """Let a job hold still at its next check point."""
        if not self._here(job_id, "pause"):
            self._store().request(job_id, "pause")

    def resume(self, job_id: str) -> None:
        """Let a paused job go on; take one up that waits in the store."""
        if self._here(job_id, "resume"):
            return
        if self._store().find(job_id).owner is None:
            self._engine.resume_job(job_id)
        else:
            self._store().request(job_id, "resume")

    def retry(self, job_id: str, task: Any = None, name: str = "") -> None:
        """Run a job again that failed or was cancelled; from its checkpoint, where it may go on.

        Parameters
        ----------
        task, name
            Its work, where no store has it.
        """
        if task is not None:
            self._engine.submit(task, name=name or None)
            return
        stored = self._store().find(job_id)
        if self._store().may_go_on(stored):
            self._engine.resume_job(stored.id)
            return
        self._engine.submit(
            self._store().task(stored.id),
            name=stored.name,
            priority=stored.priority,
            max_attempts=stored.max_attempts,
            tags=tuple(stored.limits.get("tags", ())),
            timeout=stored.limits.get("timeout"),
            memory=stored.limits.get("memory"),
        )

    def move(self, step: int, job_id: str) -> None:
        """Change the priority of a job that waits, here or with another program."""
        job = self._job(job_id)
        if job is not None and not job.state.is_terminal:
            job.priority += step
            return
        stored = self._store().find(job_id)
        wanted = requested_priority(stored.request)  # its owner may not have heard yet
        before = stored.priority if wanted is None else wanted
        self._store().request_priority(stored.id, before + step)

    def remove(self, job_id: str) -> None:
        """Drop a job that has ended, with its result."""
        job = self._job(job_id)
        if job is not None:
            job.forget()
        if self._engine.store is not None:
            self._store().remove(job_id)

    def kept(self, job_id: str) -> Kept:
        """Read the task of a job, and its result or, where it has none, what it had so far.

        Raises
        ------
        InputError
            Where there is nothing.
        """
        store = self._store()
        stored = store.find(job_id)
        result = store.result(stored.id)
        if result is None:
            result = store.result(stored.id, "partial")
        if result is None:
            raise InputError(f"{stored.name} ({stored.state}) has no result")
        return Kept(stored.id, stored.name, self._task(stored), result)

    def waiting(self, passing_over: Iterable[str] = ()) -> Waiting:
        """Free the jobs of applications that are gone, and give those that can be taken up.

        Parameters
        ----------
        passing_over : iterable of str
            Names of jobs that are of no use any more: these are cancelled.
        """
        useless = frozenset(passing_over)
        found: dict[bool, list[str]] = {True: [], False: []}
        for stored in self._engine.recover():
            if stored.name in useless:
                self._store().request(stored.id, "cancel")
                self._store().remove(stored.id)
            else:
                found[stored.state is JobState.INTERRUPTED].append(stored.id)
        return Waiting(tuple(found[True]), tuple(found[False]))

    def take_up(self, waiting: Waiting) -> list[str]:
        """Go on with jobs that wait; gives a line for each that cannot be gone on with."""
        refusals = []
        for job_id in (*waiting.interrupted, *waiting.queued):
            try:
                self._engine.resume_job(job_id)
            except InputError as error:
                refusals.append(str(error))
        return refusals

    def close(self) -> None:
        """Close what was opened of the store."""
        if self._opened is not None:
            self._opened.close()

    def _here(self, job_id: str, verb: str) -> bool:
        """Ask the engine, where it has the job; gives whether it has."""
        job = self._job(job_id)
        if job is None or job.state.is_terminal:
            return False
        getattr(job, verb)()
        return True

    def _job(self, job_id: str) -> Job | None:
        with contextlib.suppress(KeyError):
            return self._engine.job(job_id)
        return None

    def _task(self, stored: StoredJob) -> Any:
        with contextlib.suppress(InputError):  # its result is of use without it
            return self._store().task(stored.id, may_import=False)
        return None

    def _store(self) -> JobStore:
        """Give a connection of our own, which waits for nobody who writes for the engine."""
        if self._engine.store is None:
            raise InputError("the jobs of this program are not kept on disk")
        if self._opened is None:
            self._opened = JobStore(self._engine.store.path)
        return self._opened
