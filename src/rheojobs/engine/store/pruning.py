"""Removal of jobs that have ended."""

from __future__ import annotations

import time

from rheojobs.engine.states import JobState
from rheojobs.engine.store import sql
from rheojobs.engine.store.database import Database
from rheojobs.engine.store.payloads import Payloads
from rheojobs.engine.store.stored_job import StoredJob
from rheojobs.errors import InputError

__all__ = ["MAX_AGE", "MAX_BYTES", "prune", "remove"]

MAX_AGE = 90 * 86400.0
MAX_BYTES = 2_000_000_000
"""Limits on ended jobs: seconds since their end, and the bytes of all jobs."""


def remove(database: Database, job: StoredJob) -> None:
    """Remove the rows of a job, in the transaction that found it; `InputError` if it is active."""
    if not job.state.is_terminal:
        raise InputError(f"job {job.id[:8]} ({job.name}) is {job.state}: cancel it first")
    database.execute("DELETE FROM jobs WHERE number = ?", (job.number,))


def prune(database: Database, payloads: Payloads, max_age: float, max_bytes: float) -> int:
    """Remove the oldest ended jobs; return how many."""
    is_ended = f"state IN {sql.one_of(state for state in JobState if state.is_terminal)}"
    with database:
        found = database.rows(
            f"SELECT number, id, changed, bytes FROM jobs WHERE {is_ended} ORDER BY changed"
        )
        total = database.rows("SELECT coalesce(sum(bytes), 0) FROM jobs")[0][0]
        old, going = time.time() - max_age, []
        for number, job_id, changed, size in found:
            if changed > old and total <= max_bytes:
                break
            total -= size
            going.append((number, job_id))
        for number, _ in going:
            database.execute("DELETE FROM jobs WHERE number = ?", (number,))
    if going:
        database.rows("PRAGMA incremental_vacuum")
    payloads.remove_files(job_id for _, job_id in going)
    return len(going)
