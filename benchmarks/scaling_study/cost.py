"""What an empty job costs the scheduler, the client and the workers, in processor time.

Beside it, by turns, the same function submitted to the same cluster by Dask's own client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.measure import by_turns, cpu_seconds, timed
from side_by_side.table import Table, median
from side_by_side.work import empty

from scaling_study.cluster import LocalMachines, local_machines

__all__ = ["measure", "tables"]

OURS, THEIRS = "rheojobs", "dask's own client"
WORKERS = 2
NODES = 100


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run empty jobs on both sides, by turns; return seconds per job, medians of the turns."""
    from distributed import Client

    from rheojobs import DaskExecutor, JobEngine

    with (
        local_machines(WORKERS) as machines,
        JobEngine(DaskExecutor(machines.address)) as engine,
        Client(machines.address, set_as_default=False) as client,
    ):

        def ours(count: int) -> None:
            submitted = [engine.submit(empty) for _ in range(count)]
            for job in submitted:
                job.result(600)
                job.forget()

        def theirs(count: int) -> None:
            client.gather([client.submit(empty, pure=False) for _ in range(count)])

        for run in (ours, theirs):
            run(50)
        sides = {
            name: partial(_turn, machines, partial(run, settings["cost_jobs"]))
            for name, run in ((OURS, ours), (THEIRS, theirs))
        }
        found = by_turns(sides, settings["repeats"])
    return {
        name: {
            what: median(turn[what] for turn in turns) / settings["cost_jobs"] for what in turns[0]
        }
        for name, turns in found.items()
    }


def _turn(machines: LocalMachines, run: Callable[[], None]) -> dict[str, float]:
    before = _cpu(machines)
    wall, _ = timed(run)
    return {"wall": wall, **{name: used - before[name] for name, used in _cpu(machines).items()}}


def _cpu(machines: LocalMachines) -> dict[str, float]:
    return {
        "scheduler": cpu_seconds([machines.scheduler]),
        "client": time.process_time(),
        "workers": cpu_seconds(machines.workers()),
    }


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare both sides, and say what follows for many workers."""
    columns = ["wall", "scheduler", "client", "workers"]
    title = "Milliseconds per empty job, two workers"
    table = Table(title, ["", "wall clock", *columns[1:]])
    for name, row in found.items():
        table.add(name, *(f"{1e3 * row[what]:.2f}" for what in columns))
    ours, theirs = found[OURS], found[THEIRS]
    most = 1.0 / max(ours["scheduler"], ours["client"])
    table.notes += [
        "Wall clock: one after another in the client; the rest: processor time.",
        f"So one scheduler and one client start and end about {most:,.0f} jobs a second.",
        f"{NODES} workers are kept busy if a job takes {NODES / most:.1f} s or more: with jobs "
        f"of a second {most:,.0f} workers are, with samplings of a minute any number that a "
        "scheduler knows.",
        f"Against {THEIRS}: {ours['scheduler'] / theirs['scheduler']:.1f} times the "
        f"scheduler's, {ours['client'] / theirs['client']:.1f} times the client's time.",
    ]
    return [table]
