"""What an empty job costs on a warm worker: one at a time, and many at once.

Every side has one worker; the sides take turns, so that a busy moment hits all of them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from engine_study.work import empty

if TYPE_CHECKING:
    from rheojobs import JobEngine

__all__ = ["BASE", "HOW", "compare_overhead"]

BASE = "ProcessPoolExecutor (spawn)"
HOW = ("one_at_a_time", "at_once")
WARM = 50

Submit = Callable[[], "Future[None]"]
Side = Callable[[Path], contextlib.AbstractContextManager[Submit]]


@contextlib.contextmanager
def _ours(executor: str, store: Path | None = None) -> Iterator[Submit]:
    from rheojobs import JobEngine

    yield from _submitting(JobEngine(executor, max_workers=1, store=store))


def _submitting(engine: JobEngine) -> Iterator[Submit]:
    with engine:
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


class _Turns:
    """A side that is ready, and its turns so far."""

    def __init__(self, submit: Submit, workers: list[psutil.Process]) -> None:
        self._submit = submit
        self._workers = workers
        self._cpu = {how: [0.0, 0.0] for how in HOW}
        self._jobs = 0
        self.seconds: dict[str, list[float]] = {how: [] for how in HOW}

    def take(self, jobs: int) -> None:
        """Run so many jobs one at a time, and as many at once."""
        self._jobs += jobs
        for how, measure in MEASURES.items():
            before = time.process_time(), self._workers_cpu()
            self.seconds[how].append(measure(self._submit, jobs))
            self._cpu[how][0] += time.process_time() - before[0]
            self._cpu[how][1] += self._workers_cpu() - before[1]

    def _workers_cpu(self) -> float:
        used = 0.0
        for process in self._workers:
            with contextlib.suppress(psutil.NoSuchProcess):  # one that the side had to spare
                times = process.cpu_times()
                used += times.user + times.system
        return used

    def to_record(self) -> dict[str, Any]:
        """Give the seconds per job of each turn, and the processor's per job of all."""
        found: dict[str, Any] = dict(self.seconds)
        for how in HOW:
            found[f"median_{how}"] = statistics.median(self.seconds[how])
            application, workers = self._cpu[how]
            found[f"cpu_{how}"] = {
                "application": application / self._jobs,
                "workers": workers / self._jobs,
            }
        return found


def compare_overhead(
    jobs: int, repeats: int, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure all sides; gives by side the seconds per job of each repeat, or why there are none.

    Parameters
    ----------
    jobs : int
        Empty jobs of each measurement.
    repeats : int
        How often each side takes its turn.
    folder : Path
        Where the jobs are kept of the side that keeps them.
    """
    found: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        ready: dict[str, _Turns] = {}
        for name, side in SIDES.items():
            before = set(_children())
            try:
                submit = stack.enter_context(side(folder))
            except ImportError as error:
                found[name] = {"missing": str(error)}
                say(f"{name}: not installed ({error})")
                continue
            _at_once(submit, WARM)
            ready[name] = _Turns(submit, [p for p in _children() if p not in before])
        for turn in range(repeats):
            for turns in list(ready.values())[:: 1 if turn % 2 else -1]:
                turns.take(jobs)
            say(f"turn {turn + 1} of {repeats}")
        for name, turns in ready.items():
            found[name] = turns.to_record()
    return {name: found[name] for name in SIDES}


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
