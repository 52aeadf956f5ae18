"""Work on mixed jobs for long, with cancels, pauses and killed workers; read what is held."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.table import Table

from soak_study.jobs import KINDS, SHARES, task_of
from soak_study.readings import held_by, series, size_of, slope_per_hour

__all__ = ["measure", "tables"]

WARM_UP = 1 / 3
"""The part of the time that does not count: programs are compiled, pools and caches fill."""

WORKERS = 2
OPEN = 6
"""Jobs that wait or run at a time."""

CANCELLED, PAUSED = 0.1, 0.1
"""The fractions of the jobs that are cancelled, and paused for a second."""

LIMITS = {
    "application: resident memory, MB": 60.0,
    "application: own memory (USS), MB": 60.0,
    "application: open files": 6.0,
    "application: threads": 6.0,
    "application: memory mappings": 120.0,
    "oldest worker: resident memory, MB": 120.0,
    "oldest worker: own memory (USS), MB": 120.0,
    "oldest worker: open files": 6.0,
    "oldest worker: threads": 6.0,
    "oldest worker: memory mappings": 240.0,
    "cache folder, MB": 30.0,
    "store, kB per job": 30.0,
}
"""The most that each may grow in an hour."""


class _Application:
    """The jobs of an application in Qt's event loop, and what befalls them."""

    def __init__(self, pool: Any, settings: Mapping[str, Any]) -> None:
        self._engine = pool.engine
        self._rng = random.Random(settings["seed"])
        self._kill_every = settings["kill_every"]
        self._jobs: list[Any] = []
        self._paused: list[tuple[float, Any]] = []
        self._next_kill = time.monotonic() + 2 * self._kill_every
        self.begun = 0
        self.ended: Counter[str] = Counter()
        self.killed = 0

    def step(self) -> None:
        """Look after the jobs: collect, begin, cancel, pause, resume, kill."""
        for job in [job for job in self._jobs if job.done()]:
            self._jobs.remove(job)
            self.ended[str(job.state)] += 1
            job.forget()  # as WorkerPool does with its jobs: the store keeps them
        while len(self._jobs) < OPEN:
            self._begin()
        now = time.monotonic()
        for item in [item for item in self._paused if item[0] <= now]:
            self._paused.remove(item)
            item[1].resume()
        if now >= self._next_kill:
            self._next_kill = now + self._kill_every
            self._kill()

    def _begin(self) -> None:
        (kind,) = self._rng.choices(KINDS, [SHARES[kind] for kind in KINDS])
        self.begun += 1
        job = self._engine.submit(
            task_of(kind, self.begun, self._rng), name=f"{kind} {self.begun}", max_attempts=2
        )
        self._jobs.append(job)
        if (chance := self._rng.random()) < CANCELLED:
            self._rng.choice(self._jobs).cancel()
        elif chance < CANCELLED + PAUSED and (chosen := self._rng.choice(self._jobs)).pause():
            self._paused.append((time.monotonic() + 1.0, chosen))

    def _kill(self) -> None:
        """Kill a worker, but not the oldest, which is measured."""
        if others := workers()[1:]:
            os.kill(self._rng.choice(others), signal.SIGKILL)
            self.killed += 1


def workers() -> list[int]:
    """Return the process ids of the workers, the oldest first."""
    import psutil

    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if any("rheojobs" in word for word in child.cmdline()):
                found.append((child.create_time(), child.pid))
        except psutil.Error:  # it has ended meanwhile
            continue
    return [pid for _, pid in sorted(found)]


def _reading(begin: float, folder: Path, done: int) -> dict[str, float]:
    import psutil

    reading = {"hours": (time.monotonic() - begin) / 3600, "jobs": float(done)}
    reading |= {f"application: {name}": value for name, value in held_by(os.getpid()).items()}
    pids = workers()
    reading["workers"] = float(len(pids))
    if pids:
        try:
            held = held_by(pids[0])
        except (psutil.Error, OSError):  # it has ended meanwhile
            held = {}
        reading |= {f"oldest worker: {name}": value for name, value in held.items()}
        reading["oldest worker"] = float(pids[0])
    reading["cache folder, MB"] = size_of(Path(os.environ["RHEOJOBS_CACHE_DIR"]))
    reading["store, MB"] = size_of(folder, "jobs.sqlite3")
    if done:
        reading["store, kB per job"] = 1000 * reading["store, MB"] / done
    return reading


def measure(
    settings: Mapping[str, Any], folder: Path | str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run the application for the time; return the readings, and what is left at the end."""
    import psutil
    from PySide6.QtCore import QCoreApplication, QTimer

    from rheojobs.qt.worker_pool import WorkerPool

    os.environ.setdefault("RHEOJOBS_CACHE_DIR", str(Path(folder) / "cache"))
    app = QCoreApplication.instance() or QCoreApplication([])
    pool = WorkerPool(WORKERS, executor="processes", store=Path(folder) / "jobs.sqlite3")
    application = _Application(pool, settings)
    begin, readings = time.monotonic(), []
    end = begin + 60 * settings["minutes"]

    def read() -> None:
        done = application.ended.total()
        readings.append(_reading(begin, Path(folder), done))
        if len(readings) % 12 == 0:
            memory = readings[-1]["application: own memory (USS), MB"]
            say(f"{readings[-1]['hours'] * 60:5.1f} min: {done} jobs, {memory:.0f} MB")

    steps, reads = QTimer(), QTimer()
    steps.timeout.connect(application.step)
    reads.timeout.connect(read)
    steps.start(20)
    reads.start(int(1000 * settings["read_every"]))
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.005)
    steps.stop()
    reads.stop()
    store = pool.engine.store
    assert store is not None
    pool.engine.shutdown(timeout=30.0)
    app.processEvents()
    before = size_of(Path(folder), "jobs.sqlite3")
    from rheojobs import JobStore

    again = JobStore(Path(folder) / "jobs.sqlite3")
    again.prune(max_age=0.0)
    again.close()
    return {
        "readings": readings,
        "ended": dict(application.ended),
        "killed": application.killed,
        "store_mb": before,
        "pruned_mb": size_of(Path(folder), "jobs.sqlite3"),
        "left": len([c for c in psutil.Process().children() if c.status() != "zombie"]),
    }


def judged(found: Mapping[str, Any]) -> list[tuple[str, float, float, float, float, bool]]:
    """Return of each quantity: first and last value, slope in an hour, limit, whether it holds."""
    readings = found["readings"]
    warm = WARM_UP * readings[-1]["hours"]
    kept = [each for each in readings if each["hours"] >= warm]
    oldest = kept[-1].get("oldest worker")
    rows = []
    for name, limit in LIMITS.items():
        own = [e for e in kept if "worker" not in name or e.get("oldest worker") == oldest]
        hours, values = series(own, name)
        slope = slope_per_hour(hours, values)
        first, last = (values[0], values[-1]) if values else (float("nan"), float("nan"))
        rows.append((name, first, last, slope, limit, slope <= limit))
    return rows


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the table of slopes."""
    ended = found["ended"]
    words = ", ".join(f"{count} {state}" for state, count in sorted(ended.items()))
    rows = judged(found)
    verdict = "PASS" if all(row[-1] for row in rows) and not found["left"] else "FAIL"
    table = Table(
        f"{verdict}: {sum(ended.values())} jobs ({words}); {found['killed']} workers killed",
        ["", "after warm-up", "at the end", "growth in an hour", "limit", ""],
    )
    for name, first, last, slope, limit, is_good in rows:
        numbers = (f"{first:,.1f}", f"{last:,.1f}", f"{slope:+,.1f}", f"{limit:g}")
        table.add(name, *numbers, "PASS" if is_good else "FAIL")
    table.notes += [
        "growth: the slope of Theil and Sen over the readings after the warm-up",
        f"the store keeps ended jobs for 90 days or up to 2 GB: {found['store_mb']:.1f} MB at the "
        f"end, {found['pruned_mb']:.1f} MB when all ended jobs are pruned",
        f"processes left behind: {found['left'] or 'none'}",
    ]
    return [table]
