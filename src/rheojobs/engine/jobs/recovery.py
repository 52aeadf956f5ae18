"""Describes the jobs of an engine for its store, and revives jobs that wait in the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from rheojobs.engine.errors import NotDurableError
from rheojobs.engine.executors import Executor
from rheojobs.engine.executors.cluster_probe import is_gone
from rheojobs.engine.jobs.job import NO_STORE, Job, JobOwner
from rheojobs.engine.policy.retry import TRIED_AGAIN, RetryPolicy
from rheojobs.engine.recorder import NewJob, Recorder
from rheojobs.engine.serialization import Record, record_of
from rheojobs.engine.states import JobState
from rheojobs.engine.store import JobStore, StoredJob
from rheojobs.engine.store.leases import GONE
from rheojobs.engine.store.reader import WAITING
from rheojobs.engine.task import Task
from rheojobs.engine.validation import check_memory, needs_again
from rheojobs.errors import InputError

__all__ = ["describe_again", "new_job", "revive", "waiting_jobs"]

logger = logging.getLogger(__name__)


def new_job(
    job: Job, *, has_store: bool, waits: bool = False, checkpoint: bytes | None = None
) -> NewJob:
    """Return the description of a new job for the recorder.

    Parameters
    ----------
    has_store : bool
        Whether the job is stored.
    waits : bool
        Whether the task has arguments that do not exist yet: results of other jobs.
    checkpoint : bytes, optional
        The state of an earlier job that this one continues.
    """

    def describe() -> Record | None:
        record, job.not_durable_because = _describe(job.task, has_store, waits=waits)
        return record

    return NewJob(
        job.id,
        describe,
        partial(_fields, job, job.state),
        partial(setattr, job, "not_durable_because"),
        checkpoint,
    )


def _fields(job: Job, state: JobState) -> Mapping[str, Any]:
    """Return the arguments of `JobStore.add`; `state` is the job's state when it was submitted."""
    limits: dict[str, Any] = {}
    if job.tags or job.timeout or job.memory:  # most have none
        limits = {"tags": list(job.tags), "timeout": job.timeout, "memory": job.memory}
        limits = {name: limit for name, limit in limits.items() if limit}
    return {
        "name": job.name,
        "not_durable_because": job.not_durable_because,
        "priority": job.priority,
        "needs": job.needs,
        "max_attempts": job.max_attempts,
        "after": [other.id for other in job.after],
        "after_any": [other.id for other in job.after_any],
        "limits": limits,
        "state": state,
        "when": job.submitted,
        "not_before": job.not_before,
        "retry": None if job.retry is None else job.retry.to_json(),
    }


def _describe(task: Task, has_store: bool, *, waits: bool) -> tuple[Record | None, str]:
    """Return the record of a task; None and the reason if there is none."""
    if not has_store:
        return None, NO_STORE
    if waits:
        return None, "it takes the result of another job, and can be stored only when it starts"
    try:
        return record_of(task), ""
    except NotDurableError as error:
        return None, str(error)


def describe_again(job: Job, recorder: Recorder) -> None:
    """Record a task whose placeholders have been filled in."""
    record, job.not_durable_because = _describe(job.task, recorder.store is not None, waits=False)
    if record is not None:
        recorder.keep_task(job.id, record)


def waiting_jobs(store: JobStore) -> list[StoredJob]:
    """Free the jobs of applications that have ended, and return all that can be taken."""
    store.recover()
    _tidy_up(store)
    return [job for job in store.jobs(WAITING) if job.can_be_taken]


def _tidy_up(store: JobStore) -> None:
    """Remove the leftovers of jobs whose application was killed after storing their result."""
    for job_id in store.untidied():
        try:
            if (leftover := store.leftover(job_id)) is not None:
                leftover.tidy()
        except Exception as error:  # a leftover's own code may raise anything
            logger.info("the leftover of job %s cannot be removed: %s", job_id[:8], error)
        store.tidied(job_id)


def revive(
    store: JobStore,
    recorder: Recorder,
    job_id: str,
    owner: JobOwner,
    executor: Executor,
    known: Mapping[str, Job],
    total: Mapping[str, float],
    order: int,
    elsewhere: bool = False,
) -> Job:
    """Take a job of the store, and return it as a job of an engine.

    One that waits keeps its id. One that has ended and may continue (`StoreReader.may_go_on`)
    stays as it is: a new job continues from its checkpoint, with as many attempts as the first.

    Parameters
    ----------
    store : JobStore
        The store of the job.
    recorder : Recorder
        The engine's recorder.
    job_id : str
        A unique prefix of its id.
    owner : JobOwner
        The engine.
    executor : Executor
        The engine's executor.
    known : mapping of str to Job
        The jobs of the engine, on which it may depend.
    total : mapping of str to float
        The total of each resource of the engine.
    order : int
        Its place in the order of arrival.
    elsewhere : bool
        Whether it may be taken even if it may still run on another cluster.

    Raises
    ------
    InputError
        If it cannot be taken: another engine has it, or this one lacks a resource.
    """
    stored = store.find(job_id)
    label = f"job {stored.id[:8]} ({stored.name})"
    _check_free(store, stored, label)
    is_safe = elsewhere or stored.cluster_address in ("", executor.cluster_address)
    if not is_safe and not is_gone(stored.cluster_address):
        raise InputError(
            f"{label} may still run on {stored.cluster_address}: continue it there, "
            "or with {elsewhere} if you know that it does not",
            options=("elsewhere",),
        )
    here = _dependencies_here(store, stored, known, label)
    task, checkpoint = store.task(stored.id), store.checkpoint(stored.id)
    tags, memory = tuple(stored.limits.get("tags", ())), stored.limits.get("memory")
    check_memory(memory, executor.limits_memory)
    job = Job(
        owner,
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
        retry=None if not stored.retry else RetryPolicy.from_json(stored.retry),
        not_before=stored.not_before,
    )
    job.not_durable_because = ""
    job.checkpoint = checkpoint
    if stored.state.is_terminal:  # its record stays as it is: a new job continues it
        job.not_before = None
        recorder.add(new_job(job, has_store=True, checkpoint=checkpoint))
        return job
    job.id, job.cluster_address = stored.id, stored.cluster_address
    if stored.state is JobState.QUEUED:  # no user has decided to reset its attempts
        job.attempts, job.deaths = stored.attempts, _deaths(store, stored.id)
    state = store.take(stored.id)
    if state is None:
        raise InputError(f"job {stored.id[:8]} was taken by another application just now")
    if state is not job.state:  # its dependencies have ended meanwhile
        store.move(stored.id, job.state)
    return job


def _check_free(store: JobStore, stored: StoredJob, label: str) -> None:
    """Raise `InputError` unless a job may be run again, and has no owner."""
    if stored.not_durable_because:
        raise InputError(f"{label} cannot be run again: {stored.not_durable_because}")
    if stored.owner is not None:
        whose = "here" if stored.owner == store.owner.id else f"in process {stored.pid}"
        raise InputError(f"{label} is {stored.state} {whose}")
    if stored.state is JobState.SUCCEEDED:
        raise InputError(f"{label} has {stored.state}: there is nothing to resume")
    if not store.may_go_on(stored):
        why = f" ({stored.message})" if stored.message else ""
        raise InputError(
            f"{label} has {stored.state} through its own error{why}, and would again: submit it "
            "anew when what was wrong is mended"
        )


def _dependencies_here(
    store: JobStore, stored: StoredJob, known: Mapping[str, Job], label: str
) -> dict[str, Job]:
    """Return the jobs of this engine that a job waits for; other dependencies must have ended."""
    here = {}
    for other in (*stored.after, *stored.after_any):
        if (job := known.get(other)) is not None and not job.state.is_terminal:
            here[other] = job
        else:
            _check_dependency(store, other, other in stored.after, label)
    return here


def _deaths(store: JobStore, job_id: str) -> int:
    """Return how often workers of a job have died in other applications."""
    interruptions = _interruptions(store.history(job_id))
    return sum(why != GONE and not why.startswith(TRIED_AGAIN) for why in interruptions)


def _interruptions(history: Iterable[tuple[float, JobState, str]]) -> list[str]:
    return [why for _, state, why in history if state is JobState.INTERRUPTED]


def _check_dependency(store: JobStore, job_id: str, must_succeed: bool, label: str) -> None:
    """Raise `InputError` unless a job of another engine has ended as required."""
    other = store.find(job_id)
    if other.state is JobState.SUCCEEDED or (other.state.is_terminal and not must_succeed):
        return
    raise InputError(f"{label} needs job {job_id[:8]} ({other.name}), which is {other.state}")
