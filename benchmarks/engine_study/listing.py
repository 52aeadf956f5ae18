"""What looking into a store costs that holds very many jobs that have ended."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.measure import timed
from side_by_side.table import Table, median

from rheojobs.engine import FunctionTask, JobState, JobStore
from rheojobs.engine.serialization import Record, record_of

__all__ = ["measure", "tables"]

REPEATS = 5
OPEN = [state for state in JobState if not state.is_terminal]
ENDED = [state for state in JobState if state.is_terminal]
RECENT = 20
"""Ended jobs that `rheojobs jobs list` shows."""


def measure(
    settings: Mapping[str, Any], folder: Path | str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fill a store with ended jobs; return the seconds of each way to look into it."""
    count = settings["stored"]
    path = Path(folder) / "many" / "jobs.sqlite3"
    some = _fill(path, count)
    say(f"{count:,} jobs take {path.stat().st_size / 1e6:.0f} MB")
    looks: dict[str, Callable[[JobStore], object]] = {
        "open the store, give what `jobs list` shows": lambda store: (
            store.jobs(OPEN) + store.jobs(ENDED, limit=RECENT),
            store.counts(),
        ),
        "open the store, find a job by the beginning of its id": lambda store: store.find(
            some[:12]
        ),
        "open the store, give all jobs": lambda store: store.jobs(),
        "open the store, look for what is too old to keep": lambda store: store.prune(),
    }
    seconds = {label: _median(partial(_look, path, look)) for label, look in looks.items()}
    for words in ("jobs list", "--help"):
        label = f"`rheojobs {words}`, the whole command"
        seconds[label] = _median(partial(_command, path, words.split()))
    return {"count": count, "bytes": path.stat().st_size, "seconds": seconds}


def _fill(path: Path, count: int) -> str:
    """Make the store; gives the id of one of its jobs."""
    record, result = record_of(FunctionTask(abs, (-1,))), Record("json", {"value": "x" * 500})
    with JobStore(path) as store:
        store.join()
        with store.transaction():
            for _ in range(count):
                job_id = str(uuid.uuid4())
                store.add(job_id, "abs", record)
                store.move(job_id, JobState.RUNNING)
                store.put(job_id, "result", result)
                store.move(job_id, JobState.SUCCEEDED)
        store.leave()
        return store.jobs(limit=count // 2)[0].id


def _look(path: Path, look: Callable[[JobStore], object]) -> None:
    with JobStore(path) as store:
        look(store)


def _command(path: Path, arguments: list[str]) -> None:
    environment = {**os.environ, "RHEOJOBS_STATE_DIR": str(path.parent)}
    command = [sys.executable, "-m", "rheojobs", *arguments]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def _median(action: Callable[[], None]) -> float:
    return median(timed(action)[0] for _ in range(REPEATS))


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the times of all ways to look."""
    title = f"A store of {found['count']:,} jobs that have ended, {found['bytes'] / 1e6:.0f} MB"
    table = Table(title, ["", "ms"])
    for label, seconds in found["seconds"].items():
        table.add(label, f"{1000 * seconds:.1f}")
    return [table]
