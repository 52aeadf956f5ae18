"""Many fits over one, two and four workers: how much of what the workers could do is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.measure import cpu_seconds, timed
from side_by_side.table import Table
from side_by_side.work import relaxations

from scaling_study.cluster import local_machines

__all__ = ["measure", "tables"]


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit all datasets with each number of workers; each worker has fitted before."""
    from rheojobs import PRELOAD, DaskExecutor, Dataset, FitTask, JobEngine

    def fit_all(engine: JobEngine, count: int) -> list[Any]:
        made = [Dataset(t, G, "relaxation") for t, G in relaxations(count, 60, plateau=0.2)]
        jobs = [engine.submit(FitTask("zener", data)) for data in made]
        return [job.result(600) for job in jobs]

    found: dict[str, Any] = {}
    for number in settings["workers"]:
        began = time.perf_counter()
        with (
            local_machines(number) as machines,
            JobEngine(DaskExecutor(machines.address, preload=PRELOAD)) as engine,
        ):
            fit_all(engine, 8 * number)
            start, before = time.perf_counter() - began, cpu_seconds(machines.workers())
            seconds, fits = timed(partial(fit_all, engine, settings["fits"]))
            found[str(number)] = {
                "seconds": seconds,
                "start": start,
                "cpu": cpu_seconds(machines.workers()) - before,
                "converged": sum(fit.success for fit in fits),
                "count": len(fits),
            }
        say(f"{number} workers: {len(fits)} fits in {seconds:.1f} s")
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the speed-up."""
    first = next(iter(found.values()))
    columns = ["workers", "seconds", "fits per second", "speed-up", "efficiency"]
    columns += ["processor of the workers per fit / ms", "start, first fits included / s"]
    table = Table(f"{first['count']:,} fits of `zener`, 60 points each", columns)
    for workers, row in found.items():
        speed_up = first["seconds"] / row["seconds"]
        share = speed_up * int(next(iter(found))) / int(workers)
        table.add(
            workers,
            f"{row['seconds']:.1f}",
            f"{row['count'] / row['seconds']:.0f}",
            f"{speed_up:.2f}",
            f"{share:.0%}",
            f"{1e3 * row['cpu'] / row['count']:.1f}",
            f"{row['start']:.0f}",
        )
    worst = min(row["converged"] / row["count"] for row in found.values())
    table.notes += [
        "Scheduler, client and workers share this machine's processors: with more workers than "
        "processors are free, they take turns, and the efficiency is the machine's.",
        f"Converged: {worst:.1%} of the fits, at least.",
    ]
    return [table]
