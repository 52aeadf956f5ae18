"""What a decision costs, by the number of jobs that wait: the scheduler alone, and all of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.table import Table, median
from side_by_side.work import empty

__all__ = ["measure", "tables"]

SIZES = (100, 1000, 10_000)


def measure(
    settings: Mapping[str, Any], folder: Path | str, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure each number of jobs; return by measurement and number the seconds per job."""
    found: dict[str, dict[str, float]] = {}
    for name, each in MEASUREMENTS.items():
        found[name] = {
            str(size): median(each(size) for _ in range(settings["queue_repeats"]))
            for size in SIZES
        }
        say(name)
    return found


def _scheduler(size: int) -> float:
    """Start one after another of jobs in three lines, with priorities."""
    from rheojobs.engine.policy.scheduler import WORKER, Scheduler, Waiting

    needs = [{WORKER: 1.0}, {WORKER: 1.0, "gpu": 1.0}, {WORKER: 1.0, "memory": 2.0}]
    scheduler = Scheduler({WORKER: 4.0, "gpu": 1.0, "memory": 8.0})
    for order in range(size):
        scheduler.add(Waiting(f"{order}", order * 7919 % 5, order, needs[order % 3]))
    begin = time.perf_counter()
    for _ in range(size):
        chosen = scheduler.next_to_start()
        assert chosen is not None
        scheduler.start(chosen)
        scheduler.give_back(needs[int(chosen) % 3])
    return (time.perf_counter() - begin) / size


def _engine(size: int, chain: bool) -> float:
    """Run empty jobs on threads: all in line behind one that holds the worker, or in a chain."""
    from rheojobs import JobEngine

    gate = threading.Event()
    with JobEngine("threads", max_workers=1) as engine:
        last = engine.submit(gate.wait)
        for _ in range(size):
            last = engine.submit(empty, after=[last] if chain else ())
        begin = time.perf_counter()
        gate.set()
        assert engine.wait(600)
        return (time.perf_counter() - begin) / size


MEASUREMENTS: dict[str, Callable[[int], float]] = {
    "scheduler alone, a decision": _scheduler,
    "engine on threads, jobs in line": lambda size: _engine(size, chain=False),
    "engine on threads, a chain of dependencies": lambda size: _engine(size, chain=True),
}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the times, and how they grow."""
    sizes = [f"{size:,} jobs" for size in SIZES]
    title = "What a job costs by how many wait, ms (× from the first to the last)"
    table = Table(title, ["", *sizes, "×"])
    for name, row in found.items():
        times = [row[str(size)] for size in SIZES]
        table.add(name, *(f"{1000 * t:.3f}" for t in times), f"{times[-1] / times[0]:.2f}")
    table.notes.append("The logarithm of the number doubles from the first to the last.")
    return [table]
