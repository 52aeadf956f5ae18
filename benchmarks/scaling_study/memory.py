"""Ten thousand jobs of one client: what it holds while they come in, with results and without.

Each way of keeping the results has a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

__all__ = ["WAYS", "measure_memory"]

HERE = Path(__file__).parents[1]
RESULT_BYTES = 50_000
WORKERS = 2
WAYS = {
    "spilled to the store": {"size": RESULT_BYTES, "spill": 10_000},
    "kept in memory": {"size": RESULT_BYTES, "spill": None},
    "results of 8 bytes": {"size": 8, "spill": None},
}


def measure_memory(jobs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the jobs in each way; gives the client's memory at tenths of the jobs that have ended."""
    found = {}
    for name, way in WAYS.items():
        words = json.dumps({"jobs": jobs, **way})
        done = subprocess.run(
            [sys.executable, "-m", "scaling_study.memory", words],
            cwd=HERE,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        found[name] = json.loads(done.stdout.splitlines()[-1])
        grown = found[name]["held"][-1] - found[name]["submitted"]
        say(f"{name}: {grown / 1e6:+.0f} MB while {jobs} results came")
    return found


def _run(jobs: int, size: int, spill: int | None) -> dict[str, Any]:
    from rheojobs import JobEngine
    from rheojobs.engine.executors.dask.executor import DaskExecutor
    from scaling_study.cluster import local_machines
    from scaling_study.work import text

    me = psutil.Process()
    with (
        tempfile.TemporaryDirectory() as folder,
        local_machines(WORKERS) as machines,
        JobEngine(
            DaskExecutor(machines.address), store=Path(folder) / "jobs.sqlite3", spill=spill
        ) as engine,
    ):
        for _ in range(50):
            engine.run(text, 8, 0).result(60)
        before = me.memory_info().rss
        began = time.perf_counter()
        engine.pause_queue()
        submitted = [engine.run(text, size, number) for number in range(jobs)]
        seconds = time.perf_counter() - began
        with_jobs = me.memory_info().rss
        engine.resume_queue()
        held = []
        tenth = max(1, jobs // 10)
        for number in range(tenth, jobs + 1, tenth):
            for job in submitted[number - tenth : number]:
                job.exception(600)
            held.append(me.memory_info().rss)
        assert engine.wait(60)
        wall = time.perf_counter() - began
        return {
            "before": before,
            "submitted": with_jobs,
            "held": held,
            "submit_seconds": seconds,
            "seconds": wall,
            "jobs": jobs,
            "size": size,
        }


if __name__ == "__main__":
    print(json.dumps(_run(**json.loads(sys.argv[1]))))
