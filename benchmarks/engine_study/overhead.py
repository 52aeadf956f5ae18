"""What an empty job costs on a warm worker: one at a time, and many at once.

Every side has one worker; the sides take turns, so that a busy moment hits all of them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from side_by_side.measure import by_turns, children, cpu_seconds
from side_by_side.table import Table, median
from side_by_side.work import empty

__all__ = ["measure", "tables"]

BASE = "ProcessPoolExecutor (spawn)"
HOW = ("one_at_a_time", "at_once")
WARM = 50

Submit = Callable[[], "Future[None]"]
Side = Callable[[Path], contextlib.AbstractContextManager[Submit]]


@contextlib.contextmanager
def _ours(executor: str, store: Path | None = None) -> Iterator[Submit]:
    from rheojobs import JobEngine

    with JobEngine(executor, max_workers=1, store=store) as engine:
        if engine.store_problem:
            raise RuntimeError(engine.store_problem)

        def submit() -> Future[None]:
            job = engine.submit(empty)
            job.forget()  # once it has ended: the others keep no finished jobs either
            return job.future

        yield submit


@contextlib.contextmanager
def _pool() -> Iterator[Submit]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        yield lambda: pool.submit(empty)


@contextlib.contextmanager
def _written_pool(folder: Path) -> Iterator[Submit]:
    """Give a pool whose user writes a row before each job, and its end before the result is told.

    It is the least that he can do: one table, one statement each, and nothing that looks after it.
    """
    path = folder / "pool.sqlite3"
    with (
        _pool() as submit_alone,
        contextlib.closing(
            sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        ) as db,
    ):
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "CREATE TABLE jobs (id TEXT UNIQUE, task TEXT, state TEXT, created REAL, ended REAL)",
            "CREATE INDEX jobs_by_state ON jobs(state)",
        ):
            db.execute(statement)

        def submit() -> Future[None]:
            job_id, task = str(uuid.uuid4()), f"{empty.__module__}:{empty.__qualname__}"
            values = (job_id, task, time.time())
            db.execute("INSERT INTO jobs VALUES (?, ?, 'queued', ?, NULL)", values)
            told: Future[None] = Future()

            def end(done: Future[None]) -> None:
                change = "UPDATE jobs SET state = 'succeeded', ended = ? WHERE id = ?"
                db.execute(change, (time.time(), job_id))
                told.set_result(done.result())

            submit_alone().add_done_callback(end)
            return told

        yield submit


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
    "rheojobs, processes, jobs on disk": lambda folder: _ours("processes", folder / "jobs.sqlite3"),
    "rheojobs, processes": lambda _: _ours("processes"),
    "rheojobs, threads": lambda _: _ours("threads"),
    BASE: lambda _: _pool(),
    "the same, each job written to SQLite": _written_pool,
    "loky": lambda _: _loky(),
    "dask LocalCluster": lambda _: _dask(),
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


MEASURES = dict(zip(HOW, (_one_at_a_time, _at_once), strict=True))


def _turn(submit: Submit, workers: list[psutil.Process], jobs: int) -> dict[str, list[float]]:
    """Run so many jobs one at a time, and as many at once: wall clock and processor time a job."""
    found = {}
    for how, each in MEASURES.items():
        before = time.process_time() + cpu_seconds(workers)
        wall = each(submit, jobs)
        used = time.process_time() + cpu_seconds(workers) - before
        found[how] = [wall, used / jobs]
    return found


def measure(
    settings: Mapping[str, Any], folder: Path | str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure all sides by turns; return by side the seconds per job, or why there are none."""
    jobs, found = settings["jobs"], {}
    with contextlib.ExitStack() as stack:
        ready: dict[str, Callable[[], dict[str, list[float]]]] = {}
        for name, side in SIDES.items():
            before = set(children())
            try:
                submit = stack.enter_context(side(Path(folder)))
            except ImportError as error:
                found[name] = {"missing": str(error)}
                say(f"{name}: not installed ({error})")
                continue
            _at_once(submit, WARM)
            workers = [process for process in children() if process not in before]
            ready[name] = partial(_turn, submit, workers, jobs)
        for name, turns in by_turns(ready, settings["repeats"]).items():
            found[name] = {
                how: {
                    "wall": median(turn[how][0] for turn in turns),
                    "processor": median(turn[how][1] for turn in turns),
                }
                for how in HOW
            }
    return {name: found[name] for name in SIDES}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the sides with the standard library's pool."""
    table = Table(
        "An empty job on a warm worker, ms (median of the turns; × against the pool)",
        ["", "one at a time", "×", "many at once", "×", "processor, many at once", "×"],
    )
    base = found[BASE]
    for name, row in found.items():
        if "missing" in row:
            table.add(name, "not installed", *[""] * 5)
            continue
        cells = []
        for how, what in (*((how, "wall") for how in HOW), (HOW[1], "processor")):
            value = row[how][what]
            cells += [f"{1000 * value:.2f}", f"{value / base[how][what]:.2f}"]
        table.add(name, *cells)
    table.notes += [
        "One worker each. Only if it says so are the jobs stored on disk: `submit` has then "
        "returned when the job was.",
        "“Processor” is what the application and the workers took of it together.",
    ]
    return [table]
