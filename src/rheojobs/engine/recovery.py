"""What ties an engine's jobs to its store: describing tasks, and taking up jobs that wait there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from rheojobs.engine.errors import NotDurableError
from rheojobs.engine.executors import Executor
from rheojobs.engine.executors.cluster_probe import is_gone
from rheojobs.engine.job import NO_STORE, Job, JobOwner
from rheojobs.engine.job_table import TRIED_AGAIN
from rheojobs.engine.policy.retry import RetryPolicy
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
    """Return what is to be recorded of a new job.

    Parameters
    ----------
    has_store : bool
        Whether anything is.
    waits : bool
        Whether the task has arguments that are not there yet: results of other jobs.
    checkpoint : bytes, optional
        Of an earlier job that this one continues.
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
    """Return the arguments of `JobStore.add`; `state` is the one in which the job came."""
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
    """Return what is to be kept of a task; None and the reason if it cannot be."""
    if not has_store:
        return None, NO_STORE
    if waits:
        return None, "it takes the result of another job, and can be kept only when it starts"
    try:
        return record_of(task), ""
    except NotDurableError as error:
        return None, str(error)


def describe_again(job: Job, recorder: Recorder) -> None:
    """Record a task that has got the results for which it waited."""
    record, job.not_durable_because = _describe(job.task, recorder.store is not None, waits=False)
    if record is not None:
        recorder.keep_task(job.id, record)


def waiting_jobs(store: JobStore) -> list[StoredJob]:
    """Free the jobs of applications that are gone, and return all that can be taken."""
    store.recover()
    _tidy_up(store)
    return [job for job in store.jobs(WAITING) if job.can_be_taken]


def _tidy_up(store: JobStore) -> None:
    """Remove what jobs have left whose application was killed when their result was just kept."""
    for job_id in store.untidied():
        try:
            if (leftover := store.leftover(job_id)) is not None:
                leftover.tidy()
        except Exception as error:  # a leftover's own code may raise anything
            logger.info("what job %s has left stays: %s", job_id[:8], error)
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
    """Take a job of the store, and make it one of an engine's.

    One that waits keeps its id. One that has ended and may continue (`StoreReader.may_go_on`)
    stays as it is: a new one continues from its checkpoint, with as many attempts as the first had.

    Parameters
    ----------
    store : JobStore
        Where the job is.
    recorder : Recorder
        Of the engine.
    job_id : str
        A unique prefix of its id.
    owner : JobOwner
        The engine.
    executor : Executor
        Where it will run.
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
        In one line, why it cannot be: another was quicker, or the engine lacks what the job needs.
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
    if stored.state.is_terminal:  # its end is history: it is done anew
        job.not_before = None
        recorder.add(new_job(job, has_store=True, checkpoint=checkpoint))
        return job
    job.id, job.cluster_address = stored.id, stored.cluster_address
    if stored.state is JobState.QUEUED:  # no person has chosen to give it a fresh start
        job.attempts, job.deaths = stored.attempts, _deaths(store, stored.id)
    state = store.take(stored.id)
    if state is None:
        raise InputError(f"job {stored.id[:8]} was taken by another application just now")
    if state is not job.state:  # what it had to wait for was done meanwhile
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
        raise InputError(f"{label} has {stored.state}: there is nothing to take up")
    if not store.may_go_on(stored):
        why = f" ({stored.message})" if stored.message else ""
        raise InputError(
            f"{label} has {stored.state} through its own error{why}, and would again: submit it "
            "anew when what was wrong is mended"
        )


def _dependencies_here(
    store: JobStore, stored: StoredJob, known: Mapping[str, Job], label: str
) -> dict[str, Job]:
    """Return the jobs of this engine that a job waits for; those elsewhere must have ended."""
    here = {}
    for other in (*stored.after, *stored.after_any):
        if (job := known.get(other)) is not None and not job.state.is_terminal:
            here[other] = job
        else:
            _check_dependency(store, other, other in stored.after, label)
    return here


def _deaths(store: JobStore, job_id: str) -> int:
    """Count the workers that have died under a job in the hands of other applications."""
    interruptions = _interruptions(store.history(job_id))
    return sum(why != GONE and not why.startswith(TRIED_AGAIN) for why in interruptions)


def _interruptions(history: Iterable[tuple[float, JobState, str]]) -> list[str]:
    return [why for _, state, why in history if state is JobState.INTERRUPTED]


def _check_dependency(store: JobStore, job_id: str, must_succeed: bool, label: str) -> None:
    """Raise `InputError` unless a job that is not here has ended as it must."""
    other = store.find(job_id)
    if other.state is JobState.SUCCEEDED or (other.state.is_terminal and not must_succeed):
        return
    raise InputError(f"{label} needs job {job_id[:8]} ({other.name}), which is {other.state}")
