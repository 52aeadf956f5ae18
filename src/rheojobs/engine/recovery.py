"""What ties an engine to its store: opening it, describing tasks, taking up jobs of others.

A store that cannot be opened is said and done without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rheojobs.engine.errors import NotDurableError, StoreError
from rheojobs.engine.executors.cluster_probe import is_gone
from rheojobs.engine.job import NO_STORE, Job
from rheojobs.engine.serialization import Record, record_of
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore, StoredJob
from rheojobs.engine.store.leases import GONE
from rheojobs.engine.store.reader import WAITING
from rheojobs.engine.store.writer import StoreWriter
from rheojobs.engine.task import Task
from rheojobs.engine.validation import check_memory, needs_again
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.engine.engine import JobEngine

__all__ = [
    "describe",
    "describe_again",
    "free_orphans",
    "open_journal",
    "revive",
    "waiting_jobs",
]

logger = logging.getLogger(__name__)


def open_journal(
    store: JobStore | str | Path | None, on_request: Callable[[str, str], object]
) -> tuple[StoreWriter | None, str]:
    """Open a store for an engine; gives None and the reason where that cannot be."""
    if store is None:
        return None, ""
    try:
        opened = store if isinstance(store, JobStore) else JobStore(store)
        return StoreWriter(opened, on_request), ""
    except StoreError as error:
        logger.warning("%s; the jobs are kept in memory", error)
        return None, str(error)


def describe(
    task: Task, journal: StoreWriter | None, *, waits: bool = False
) -> tuple[Record | None, str]:
    """Give what is to be kept of a task; None and the reason where it cannot be.

    A task that `waits` for another job's result has arguments that are not there yet.
    """
    if journal is None:
        return None, NO_STORE
    if waits:
        return None, "it takes the result of another job, and can be kept only when it starts"
    try:
        return record_of(task), ""
    except NotDurableError as error:
        return None, str(error)


def describe_again(job: Job, journal: StoreWriter | None) -> None:
    """Keep a task that has got the results for which it waited."""
    record, job.not_durable_because = describe(job.task, journal)
    if journal is not None and record is not None:
        journal.keep_task(job.id, record)


def free_orphans(journal: StoreWriter | None) -> None:
    """Free the jobs of applications that are gone."""
    if journal is not None:
        journal.store.recover()


def waiting_jobs(journal: StoreWriter | None) -> list[StoredJob]:
    """Free the jobs of applications that are gone, and give all that can be taken."""
    if journal is None:
        return []
    free_orphans(journal)
    _tidy_up(journal)
    return [job for job in journal.store.jobs(WAITING) if job.can_be_taken]


def _tidy_up(journal: StoreWriter) -> None:
    """Remove what jobs have left whose application was killed when their result was just kept."""
    for job_id in journal.store.untidied():
        try:
            if (leftover := journal.store.leftover(job_id)) is not None:
                leftover.tidy()
        except (InputError, OSError) as error:
            logger.info("what job %s has left stays: %s", job_id[:8], error)
        journal.store.tidied(job_id)


def revive(
    journal: StoreWriter | None,
    job_id: str,
    engine: JobEngine,
    known: Mapping[str, Job],
    total: Mapping[str, float],
    order: int,
    elsewhere: bool = False,
) -> Job:
    """Take a job of the store, and make it one of an engine's.

    One that waits keeps its id. One that has ended and may go on (`StoreReader.may_go_on`) stays
    as it is: a new one goes on from its checkpoint, with as many attempts as the first had.

    Parameters
    ----------
    journal : StoreWriter or None
        Of the engine.
    job_id : str
        Its id, or the beginning of it.
    engine : JobEngine
        Whose it will be.
    known : mapping of str to Job
        The jobs of the engine, which it may depend on.
    total : mapping of str to float
        What the engine has of each resource.
    order : int
        Its place in the line.
    elsewhere : bool
        Whether it may be taken up though it may still run on another cluster.

    Raises
    ------
    InputError
        In one line, why it cannot be: another was quicker, or the engine has not got what the
        job needs.
    """
    if journal is None:
        raise InputError("this engine has no store to take jobs from")
    store = journal.store
    stored = store.find(job_id)
    label = f"job {stored.id[:8]} ({stored.name})"
    if stored.not_durable_because:
        raise InputError(f"{label} cannot be run again: {stored.not_durable_because}")
    if stored.owner is not None:
        whose = "here" if stored.owner == store.owner.id else f"in process {stored.pid}"
        raise InputError(f"{label} is {stored.state} {whose}")
    if stored.state is JobState.SUCCEEDED:
        raise InputError(f"{label} has {stored.state}: there is nothing to take up")
    if not store.may_go_on(stored):
        why = f" ({stored.message})" if stored.message else ""
        raise InputError(
            f"{label} has {stored.state} of itself{why}, and would again: submit it anew when "
            "what was wrong is mended"
        )
    is_safe = elsewhere or stored.cluster_address in ("", engine.executor.cluster_address)
    if not is_safe and not is_gone(stored.cluster_address):
        raise InputError(
            f"{label} may still run on {stored.cluster_address}: go on with it there, "
            "or with elsewhere=True (--elsewhere) if you know that it does not"
        )
    here = {}
    for other in (*stored.after, *stored.after_any):
        if (job := known.get(other)) is not None and not job.state.is_terminal:
            here[other] = job
        else:
            _check_dependency(store, other, other in stored.after, label)
    task, checkpoint = store.task(stored.id), store.checkpoint(stored.id)
    tags, memory = tuple(stored.limits.get("tags", ())), stored.limits.get("memory")
    check_memory(memory, engine.executor.limits_memory)
    job = Job(
        engine,
        task,
        name=stored.name,
        priority=stored.priority,
        after=tuple(here[other] for other in stored.after if other in here),
        after_any=tuple(here[other] for other in stored.after_any if other in here),
        needs=needs_again(stored.needs, total, tags, memory),
        max_attempts=stored.max_attempts,
        order=order,
        tags=tags,
        timeout=stored.limits.get("timeout"),
        memory=memory,
    )
    job.not_durable_because = ""
    job.checkpoint = checkpoint
    if stored.state.is_terminal:  # its end is history: it is done anew
        journal.add(job, record_of(task), checkpoint)
        return job
    job.id, job.cluster_address = stored.id, stored.cluster_address
    if stored.state is JobState.QUEUED:  # nobody has chosen to give it a fresh start
        job.attempts, job.deaths = stored.attempts, _deaths(store, stored.id)
    state = store.take(stored.id)
    if state is None:
        raise InputError(f"job {stored.id[:8]} was taken by another application just now")
    if state is not job.state:  # what it had to wait for was done meanwhile
        store.move(stored.id, job.state)
    return job


def _deaths(store: JobStore, job_id: str) -> int:
    """Count the workers that a job has taken along in the hands of other applications."""
    history = store.history(job_id)
    return sum(state is JobState.INTERRUPTED and why != GONE for _, state, why in history)


def _check_dependency(store: JobStore, job_id: str, must_succeed: bool, label: str) -> None:
    """Raise `InputError` unless a job that is not here has ended as it must."""
    other = store.find(job_id)
    if other.state is JobState.SUCCEEDED or (other.state.is_terminal and not must_succeed):
        return
    raise InputError(f"{label} needs job {job_id[:8]} ({other.name}), which is {other.state}")
