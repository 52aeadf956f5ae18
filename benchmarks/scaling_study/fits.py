"""Many fits over one, two and four workers: how much of what the workers could do is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scaling_study.cluster import local_machines

__all__ = ["measure_fits"]

POINTS = 60


def _tasks(count: int) -> list[Any]:
    """Make fits of relaxations, each of its own modulus and time, with 2 % noise."""
    from rheojobs import Dataset, FitTask

    rng = np.random.default_rng(7)
    made = []
    for _ in range(count):
        modulus, tau = 10 ** rng.uniform(3, 6), 10 ** rng.uniform(-1, 1)
        t = np.geomspace(0.02 * tau, 5 * tau, POINTS)
        noise = 1 + 0.02 * rng.standard_normal(POINTS)
        values = modulus * (0.2 + np.exp(-t / tau)) * noise
        made.append(FitTask("zener", Dataset(t, values, "relaxation")))
    return made


def measure_fits(count: int, workers: Sequence[int], say: Callable[[str], None]) -> dict[str, Any]:
    """Fit all datasets with each number of workers; gives seconds, and the fits' own seconds.

    Each worker has fitted before: what starting costs is told beside it.
    """
    from rheojobs import JobEngine
    from rheojobs.engine.executors.dask.executor import DaskExecutor
    from rheojobs.inference.readiness.warm_up import PRELOAD

    found: dict[str, Any] = {}
    for number in workers:
        began = time.perf_counter()
        with (
            local_machines(number) as machines,
            JobEngine(DaskExecutor(machines.address, preload=PRELOAD)) as engine,
        ):
            warm = [engine.submit(task) for task in _tasks(8 * number)]
            for job in warm:
                job.result(300)
            start = time.perf_counter() - began
            cpu = _cpu(machines.workers())
            began = time.perf_counter()
            jobs = [engine.submit(task) for task in _tasks(count)]
            fits = [job.result(600) for job in jobs]
            seconds = time.perf_counter() - began
            found[str(number)] = {
                "seconds": seconds,
                "start": start,
                "inside": sum(fit.fit_time for fit in fits),
                "cpu": _cpu(machines.workers()) - cpu,
                "converged": sum(fit.success for fit in fits),
                "count": count,
            }
        say(f"{number} workers: {count} fits in {seconds:.1f} s")
    return found


def _cpu(processes: Sequence[Any]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)
