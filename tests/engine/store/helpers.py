"""Jobs in the store for tests."""

from __future__ import annotations

import itertools

from tests.engine import chores

from rheojobs.engine import JobState, JobStore
from rheojobs.engine.serialization import record_of
from rheojobs.engine.task import FunctionTask

S = JobState
ADD = record_of(FunctionTask(chores.add, (1.0,)))
IDS = (f"{number:08x}-0000-4000-8000-000000000000" for number in itertools.count(0xABC))


def enter(store: JobStore, *states: JobState, **options: object) -> str:
    """Add a job and let it go through some states."""
    job_id = next(IDS)
    store.add(job_id, "a job", options.pop("record", ADD), **options)  # type: ignore[arg-type]
    for state in states:
        assert store.move(job_id, state)
    return job_id


def kill(store: JobStore) -> None:
    """Have the kernel free the lock of an engine, as when its process is killed."""
    lock = store._leases._lock
    assert lock is not None
    lock._close()
