"""What must hold when all is over: each job accounted for, each draw as if nothing had happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.faults.samplings import is_durable

from rheojobs.engine import JobState
from rheojobs.engine.store import StoredJob, StoreReader
from rheojobs.engine.store.payload_files import MARKER

__all__ = ["Wanted", "account", "complaints", "draws", "files_left", "why_again"]

REASONS = {
    JobState.CANCELLED: ("",),
    JobState.FAILED: (
        "the application that ran it ended, and it cannot be run again",
        "WorkerDiedError: the worker process died",
        "the worker process died",
    ),
}
"""How a job may end here that has not succeeded, and what its message begins with."""


@dataclass
class Wanted:
    """A sampling that was asked for, by one job after another until one of them succeeds."""

    key: str
    kind: str
    folder: Path


def draws(result: Any) -> dict[str, Any]:
    """Give all arrays of a result that follow from its draws."""
    arrays = result.__dict__["_inference_data"]
    found = {f"posterior {name}": value for name, value in result.posterior_samples.items()}
    for field, value in vars(arrays).items():
        if isinstance(value, Mapping):
            found |= {f"{field} {k}": v for k, v in value.items() if isinstance(v, np.ndarray)}
    return found


def why_again(job: StoredJob) -> str:
    """Say why a job must be followed by another; raises where that is no good reason."""
    if not job.message.startswith(REASONS[job.state]):
        raise AssertionError(f"job {job.id[:8]} ({job.name}) has {job.state}: {job.message}")
    return job.message


def account(
    store: StoreReader, wanted: Iterable[Wanted], undisturbed: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Give a line for each job and draw that is not what it should be."""
    wanted = list(wanted)
    by_name: dict[str, list[StoredJob]] = {}
    for job in store.jobs():
        by_name.setdefault(job.name, []).append(job)
        history = [state for _, state, _ in store.history(job.id)]
        if not job.state.is_terminal:
            yield f"job {job.id[:8]} ({job.name}) has not ended: it is {job.state}"
        if sum(state.is_terminal for state in history) != 1 or history[-1] is not job.state:
            yield f"job {job.id[:8]} ({job.name}) went through {', '.join(history)}"
        if (job.owner is not None) or job.request:
            yield (
                f"job {job.id[:8]} ({job.name}) still belongs to {job.owner}, "
                f"request {job.request!r}"
            )
    for name in by_name.keys() - {each.key for each in wanted}:
        yield f"nobody has submitted {name}"
    for each in wanted:
        jobs = by_name.get(each.key, [])
        good = [job for job in jobs if job.state is JobState.SUCCEEDED]
        if len(good) != 1:
            yield f"{each.key} has {len(good)} results, of {len(jobs)} jobs"
        for job in jobs:
            result = store.result(job.id)
            if job not in good:
                if result is not None:
                    yield f"job {job.id[:8]} ({job.name}) has {job.state}, and has a result"
                continue
            if result is None:
                yield f"job {job.id[:8]} ({job.name}) has succeeded without a result"
                continue
            for name, values in draws(result).items():
                if not np.array_equal(values, undisturbed[each.kind][name], equal_nan=True):
                    yield f"{each.key}: {name} is not that of an undisturbed run"


def files_left(state: Path, wanted: Iterable[Wanted]) -> Iterator[str]:
    """Give a line for each file that is left over; the store must not be open."""
    files = {path for path in state.rglob("*") if path.is_file()}
    folders = set((state / "samplings").iterdir())
    database = state / "jobs.sqlite3"
    rows = "SELECT id, file FROM parts JOIN jobs ON number = job WHERE file IS NOT NULL"
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    folder = state / "jobs.sqlite3.files"
    known = {folder / job / file for job, file in connection.execute(rows)}
    engines = connection.execute("SELECT count(*) FROM engines").fetchone()[0]
    connection.close()
    yield from (
        f"left over: {path}"
        for path in sorted(files - known - {database, folder / MARKER} | folders)
    )
    yield from (f"gone: {path}" for path in sorted(known - files))
    if engines:
        yield f"{engines} applications are still known to the store"


def complaints(
    folder: Path, wanted: Iterable[Wanted], undisturbed: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Give all that is not as it should be when the last application has left."""
    wanted = list(wanted)
    found = list(files_left(folder / "state", wanted))
    store = StoreReader(folder / "state" / "jobs.sqlite3")
    found += account(store, wanted, undisturbed)
    for job in store.jobs([JobState.FAILED]):
        if "cannot be run again" in job.message and is_durable(job.name.partition("-")[0]):
            found.append(f"job {job.id[:8]} ({job.name}) was given up: {job.message}")
    store.close()
    return found
