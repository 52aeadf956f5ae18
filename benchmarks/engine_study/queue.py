"""What a decision costs, by the number of jobs that wait: the scheduler alone, and all of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from engine_study.work import empty

__all__ = ["SIZES", "measure_queue"]

SIZES = (100, 1000, 10_000)


def measure_queue(repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure each number of jobs; gives by measurement and number the seconds per job."""
    found: dict[str, dict[str, float]] = {}
    for name, measure in MEASUREMENTS.items():
        found[name] = {}
        for size in SIZES:
            times = [measure(size) for _ in range(repeats)]
            found[name][str(size)] = statistics.median(times)
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
    import threading

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
