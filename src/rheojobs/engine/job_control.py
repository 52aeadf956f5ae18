"""Steer a job wherever it is: in this engine, in another process, or in the store with no owner.

Each method may wait for the disk, and is for a thread that nobody waits for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore, StoredJob
from rheojobs.engine.store.commands import requested_priority
from rheojobs.errors import InputError

if TYPE_CHECKING:  # the command that only asks for something needs no engine
    from rheojobs.engine.engine import JobEngine
    from rheojobs.engine.jobs.job import Job

__all__ = ["JobControl", "JobRecord", "OrphanedJobs", "StoredResult"]


@dataclass(frozen=True, slots=True)
class OrphanedJobs:
    """The ids of jobs whose application is gone: the interrupted, and those not begun."""

    interrupted: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.interrupted or self.queued)


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What the store has of a job: its name, its task, and its result or partial result."""

    job_id: str
    name: str
    task: Any
    result: Any


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What the store has of the life of a job.

    Attributes
    ----------
    stored : StoredJob
        Its present state, attempts, limits and needs.
    history : sequence
        The states that it has entered: time (s since the epoch), state, reason.
    error : mapping
        The type and the traceback of its error; empty if there is none.
    """

    stored: StoredJob
    history: Sequence[tuple[float, JobState, str]]
    error: Mapping[str, Any]


class JobControl:
    """Steers the jobs of an engine directly, and all others through the store.

    A verb returns whether it is done. If not, the process that owns the job was asked for it, and
    does it within a second.

    Parameters
    ----------
    engine : JobEngine, optional
        Has jobs of its own, and takes up those of the store. Without one, no job can be started.
    store : JobStore, optional
        Where the other jobs are, opened; by default the store of the engine. `close` closes it.
    """

    def __init__(self, engine: JobEngine | None = None, store: JobStore | None = None) -> None:
        self._engine = engine
        self._opened = store

    def find(self, job_id: str) -> StoredJob:
        """Return a job of the store by a unique prefix of its id."""
        return self._store().find(job_id)

    def record(self, job_id: str) -> JobRecord | None:
        """Return what the store has of a job of this id; None without a store."""
        if self._opened is None and (self._engine is None or self._engine.store is None):
            return None
        store = self._store()
        stored = store.find(job_id)
        return JobRecord(stored, store.history(stored.id), store.error(stored.id))

    def cancel(self, job_id: str) -> bool:
        """Stop a job, or take it from the queue."""
        return self._ask(job_id, "cancel")

    def pause(self, job_id: str) -> bool:
        """Pause a job at its next check point."""
        return self._ask(job_id, "pause")

    def resume(self, job_id: str) -> bool:
        """Resume a paused job; take up one that waits in the store."""
        if self._job(job_id) is None and self.find(job_id).owner is None:
            self._taker().resume_job(job_id)
            return True
        return self._ask(job_id, "resume")

    def retry(self, job_id: str, task: Any = None, name: str = "") -> Job:
        """Run a job again that failed or was cancelled; from its checkpoint if it may continue.

        Parameters
        ----------
        job_id : str
            Its id.
        task, name
            Its work, if no store has it.

        Raises
        ------
        InputError
            As `check_retry` raises it.
        """
        if task is not None:
            return self._taker().submit(task, name=name or None)
        stored = self.find(job_id)
        self.check_retry(stored)
        if self._store().may_go_on(stored):
            return self._taker().resume_job(stored.id)
        return self._taker().submit(
            self._store().task(stored.id),
            name=stored.name,
            priority=stored.priority,
            max_attempts=stored.max_attempts,
            tags=tuple(stored.limits.get("tags", ())),
            timeout=stored.limits.get("timeout"),
            memory=stored.limits.get("memory"),
        )

    def check_retry(self, job: StoredJob) -> None:
        """Raise `InputError` unless a job failed or was cancelled, and can be run again."""
        label = f"job {job.id[:8]} ({job.name})"
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise InputError(
                f"{label} is {job.state}: only one that failed or was cancelled is run again"
            )
        if job.not_durable_because:
            raise InputError(f"{label} cannot be run again: {job.not_durable_because}")

    def move(self, step: int, job_id: str) -> bool:
        """Change the priority of a job that waits by `step`."""
        job = self._job(job_id)
        if job is not None:
            return self.set_priority(job.priority + step, job_id)
        stored = self.find(job_id)
        wanted = requested_priority(stored.request)  # its owner may not have heard yet
        before = stored.priority if wanted is None else wanted
        return self.set_priority(before + step, stored.id)

    def set_priority(self, priority: int, job_id: str) -> bool:
        """Give a job that waits another priority; the higher runs first."""
        job = self._job(job_id)
        if job is None:
            return self._store().request_priority(job_id, priority)
        job.priority = priority
        return True

    def remove(self, job_id: str) -> None:
        """Remove a job that has ended, with its result."""
        if self._engine is not None:
            with contextlib.suppress(KeyError):
                self._engine.job(job_id).forget()
            if self._engine.store is None:
                return
        self._store().remove(job_id)

    def kept(self, job_id: str) -> StoredResult:
        """Return the task of a job with its result, or else with its partial result.

        Raises
        ------
        InputError
            If there is neither.
        """
        store = self._store()
        stored = store.find(job_id)
        result = store.kept_result(stored.id)
        if result is None:
            raise InputError(f"{stored.name} ({stored.state}) has no result")
        return StoredResult(stored.id, stored.name, self._task(stored), result)

    def waiting(self, passing_over: Iterable[str] = ()) -> OrphanedJobs:
        """Free the jobs of applications that are gone, and return those that can be taken up.

        Parameters
        ----------
        passing_over : iterable of str
            Names of jobs that are of no use any more: these are removed.
        """
        useless = frozenset(passing_over)
        found: dict[bool, list[str]] = {True: [], False: []}
        for stored in self._taker().recover():
            if stored.name in useless:
                self._store().request(stored.id, "cancel")
                self._store().remove(stored.id)
            else:
                found[stored.state is JobState.INTERRUPTED].append(stored.id)
        return OrphanedJobs(tuple(found[True]), tuple(found[False]))

    def take_up(self, waiting: OrphanedJobs) -> list[str]:
        """Take up jobs that wait; return a line for each that cannot be."""
        refusals = []
        for job_id in (*waiting.interrupted, *waiting.queued):
            try:
                self._taker().resume_job(job_id)
            except InputError as error:
                refusals.append(str(error))
        return refusals

    def close(self) -> None:
        """Close what was opened of the store."""
        if self._opened is not None:
            self._opened.close()

    def _ask(self, job_id: str, verb: str) -> bool:
        """Ask the engine if it has the job, else its owner; return whether it is done."""
        job = self._job(job_id)
        if job is None:
            return self._store().request(job_id, verb)
        getattr(job, verb)()
        return True

    def _job(self, job_id: str) -> Job | None:
        """Return a job of the engine that has not ended."""
        if self._engine is not None:
            with contextlib.suppress(KeyError):
                job = self._engine.job(job_id)
                return None if job.state.is_terminal else job
        return None

    def _task(self, stored: StoredJob) -> Any:
        with contextlib.suppress(InputError):  # its result is of use without it
            return self._store().task(stored.id, may_import=False)
        return None

    def _taker(self) -> JobEngine:
        if self._engine is None:
            raise InputError("there is no engine here to run a job")
        return self._engine

    def _store(self) -> JobStore:
        """Return a connection of our own, which waits for no writer of the engine's."""
        if self._opened is None:
            if self._engine is None or self._engine.store is None:
                raise InputError("the jobs of this program are not kept on disk")
            self._opened = JobStore(self._engine.store.path)
        return self._opened
