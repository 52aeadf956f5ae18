"""What keeping jobs on disk costs: submitting, running empty jobs, and listing very many.

`python benchmarks/store_study.py [--jobs N] [--stored N]` prints a table; nothing that it writes
stays.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from rheojobs.engine import FunctionTask, JobEngine, JobState, JobStore, ProcessExecutor
from rheojobs.engine.records import Record, record_of

ENDED = [state for state in JobState if state.is_terminal]
OPEN = [state for state in JobState if not state.is_terminal]


def milliseconds(values: list[float]) -> str:
    """Write the median and the 95th percentile."""
    ordered = sorted(values)
    late = ordered[int(0.95 * len(ordered))]
    return f"{1e3 * statistics.median(ordered):.3f} ms (95 %: {1e3 * late:.3f} ms)"


def timed(function: Callable[[], object]) -> float:
    """Give the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def empty_jobs(count: int, store: Path | None) -> None:
    """Submit empty jobs to a warm worker process, one after another and all at once."""
    with JobEngine(ProcessExecutor(1, spares=0), store=store) as engine:
        engine.run(abs, -1).result()
        submits = [timed(lambda: engine.run(abs, -1)) for _ in range(count)]
        engine.wait()
        trips = [timed(lambda: engine.run(abs, -1).result()) for _ in range(count)]
        engine.wait()

        def burst() -> None:
            for job in [engine.run(abs, -1) for _ in range(count)]:
                job.result()

        label = "with a store" if store else "in memory"
        print(f"{label:13} submit      {milliseconds(submits)}")
        print(f"{label:13} round trip  {milliseconds(trips)}")
        print(f"{label:13} in a burst  {1e3 * timed(burst) / count:.3f} ms a job")


def many_stored(path: Path, count: int) -> None:
    """List jobs of a store that holds very many that have ended."""
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
        print(f"{count:,} ended jobs take {path.stat().st_size / 1e6:.0f} MB")
        some = store.jobs(limit=1000)[0].id
    for label, look in (
        ("open and list", lambda store: store.jobs(OPEN) + store.jobs(ENDED, limit=20)),
        ("counts", lambda store: store.counts()),
        ("find one", lambda store: store.find(some[:12])),
        ("list all", lambda store: store.jobs()),
        ("prune", lambda store: store.prune()),
    ):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            with JobStore(path) as store:
                look(store)
            times.append(time.perf_counter() - start)
        print(f"{label:13} {1e3 * statistics.median(times):.1f} ms")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--stored", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for store in (None, Path(folder) / "jobs.sqlite3", None, Path(folder) / "again.sqlite3"):
            empty_jobs(options.jobs, store)
        many_stored(Path(folder) / "many.sqlite3", options.stored)


if __name__ == "__main__":
    main()
