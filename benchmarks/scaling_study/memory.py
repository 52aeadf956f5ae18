"""Ten thousand jobs of one client: what it holds while they come in, with results and without."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
from side_by_side.child import call_alone
from side_by_side.table import Table

__all__ = ["measure", "run", "tables"]

RESULT_BYTES = 50_000
WORKERS = 2
WAYS = {
    "spilled to the store": {"size": RESULT_BYTES, "spill": 10_000},
    "kept in memory": {"size": RESULT_BYTES, "spill": None},
    "results of 8 bytes": {"size": 8, "spill": None},
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run the jobs in each way, in a process of its own; return the client's memory."""
    return {
        name: call_alone("scaling_study.memory:run", say, jobs=settings["jobs"], **way)
        for name, way in WAYS.items()
    }


def run(jobs: int, size: int, spill: int | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the jobs; return the memory before, with all submitted, with half and with all done."""
    from side_by_side.work import text

    from rheojobs import DaskExecutor, JobEngine
    from scaling_study.cluster import local_machines

    memory = psutil.Process().memory_info
    with (
        tempfile.TemporaryDirectory() as folder,
        local_machines(WORKERS) as machines,
        JobEngine(
            DaskExecutor(machines.address), store=Path(folder) / "jobs.sqlite3", spill=spill
        ) as engine,
    ):
        for _ in range(50):
            engine.run(text, 8, 0).result(60)
        held = [memory().rss]
        began = time.perf_counter()
        engine.pause_queue()
        submitted = [engine.run(text, size, number) for number in range(jobs)]
        held.append(memory().rss)
        engine.resume_queue()
        for half in (submitted[: jobs // 2], submitted[jobs // 2 :]):
            for job in half:
                job.exception(600)
            held.append(memory().rss)
        assert engine.wait(60)
        seconds = time.perf_counter() - began
    say(f"{jobs} jobs, results of {size} B: {(held[-1] - held[1]) / 1e6:+.0f} MB while they came")
    return {"held": held, "seconds": seconds, "jobs": jobs, "size": size}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the memory at each stage."""
    first = next(iter(found.values()))
    columns = ["results", "results in all / MB", "client before / MB", "jobs submitted / MB"]
    columns += ["half of them done / MB", "all done / MB", "seconds"]
    table = Table(f"{first['jobs']:,} jobs of one client", columns)
    for name, row in found.items():
        megabytes = [row["jobs"] * row["size"] / 1e6, *(held / 1e6 for held in row["held"])]
        table.add(name, *(f"{each:,.0f}" for each in megabytes), f"{row['seconds']:.0f}")
    before, with_jobs = first["held"][:2]
    table.notes.append(
        'Spilled is `JobEngine(spill="10 kB")`: a result that is in the store is read from there '
        "when it is asked for. What a job takes in the client, its task included: "
        f"{(with_jobs - before) / first['jobs'] / 1e3:.1f} kB."
    )
    return [table]
