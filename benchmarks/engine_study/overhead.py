"""What an empty job costs on a warm worker: one at a time, and many at once.

Every side has one worker; the sides take turns, so that a busy moment hits all of them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine_study.work import empty

if TYPE_CHECKING:
    from rheojobs import JobEngine

__all__ = ["BASE", "compare_overhead"]

BASE = "ProcessPoolExecutor (spawn)"

Submit = Callable[[], "Future[None]"]
Side = Callable[[], contextlib.AbstractContextManager[Submit]]


@contextlib.contextmanager
def _ours(executor: str, *, is_stored: bool = False) -> Iterator[Submit]:
    from rheojobs import JobEngine

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "jobs.sqlite3" if is_stored else None
        yield from _submitting(JobEngine(executor, max_workers=1, store=store))


def _submitting(engine: JobEngine) -> Iterator[Submit]:
    with engine:

        def submit() -> Future[None]:
            job = engine.submit(empty)
            job.add_done_callback(engine.forget)
            return job.future

        yield submit


@contextlib.contextmanager
def _pool() -> Iterator[Submit]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        yield lambda: pool.submit(empty)


@contextlib.contextmanager
def _loky() -> Iterator[Submit]:
    try:
        import loky
    except ImportError:
        from joblib.externals import loky  # joblib carries a copy

    pool = loky.ProcessPoolExecutor(1)
    try:
        yield lambda: pool.submit(empty)
    finally:
        pool.shutdown(wait=True, kill_workers=True)


@contextlib.contextmanager
def _dask() -> Iterator[Submit]:
    import logging

    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    with cluster, Client(cluster) as client:
        yield lambda: client.submit(empty, pure=False)


SIDES: dict[str, Side] = {
    "rheojobs, processes": lambda: _ours("processes"),
    "rheojobs, processes, jobs on disk": lambda: _ours("processes", is_stored=True),
    "rheojobs, threads": lambda: _ours("threads"),
    BASE: _pool,
    "loky": _loky,
    "dask LocalCluster": _dask,
}


def _one_at_a_time(submit: Submit, jobs: int) -> float:
    begin = time.perf_counter()
    for _ in range(jobs):
        submit().result(60)
    return (time.perf_counter() - begin) / jobs


def _at_once(submit: Submit, jobs: int) -> float:
    begin = time.perf_counter()
    for future in [submit() for _ in range(jobs)]:
        future.result(60)
    return (time.perf_counter() - begin) / jobs


def compare_overhead(jobs: int, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure all sides; gives by side the seconds per job of each repeat, or why there are none.

    Parameters
    ----------
    jobs : int
        Empty jobs of each measurement.
    repeats : int
        How often each side takes its turn.
    """
    found: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        ready: dict[str, Submit] = {}
        for name, side in SIDES.items():
            try:
                submit = stack.enter_context(side())
                _at_once(submit, 20)  # warm
            except ImportError as error:
                found[name] = {"missing": str(error)}
                say(f"{name}: not installed ({error})")
            else:
                ready[name] = submit
                found[name] = {"one_at_a_time": [], "at_once": []}
        for turn in range(repeats):
            for name, submit in ready.items():
                found[name]["one_at_a_time"].append(_one_at_a_time(submit, jobs))
                found[name]["at_once"].append(_at_once(submit, jobs))
            say(f"overhead: turn {turn + 1} of {repeats}")
    for record in found.values():
        for how in ("one_at_a_time", "at_once"):
            if how in record:
                record[f"median_{how}"] = statistics.median(record[how])
    return found
