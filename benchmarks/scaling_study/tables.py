"""What was found, as tables with notes; reads the records that are kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from side_by_side.table import Table

from scaling_study.cost import OURS, THEIRS

__all__ = ["HEADINGS", "describe_settings", "tables"]

HEADINGS = {
    "fits": "Fits over more and more workers",
    "cost": "What an empty job costs whom",
    "memory": "The client's memory",
}
NODES = 100

type Found = Mapping[str, Any]


def describe_settings(part: str, settings: Found) -> str:
    """Say how a part was run."""
    words = {
        "fits": f"{settings['fits']:,} fits.",
        "cost": f"{settings['cost_jobs']:,} jobs a turn, {settings['repeats']} turns of each side.",
        "memory": f"{settings['jobs']:,} jobs.",
    }
    return words[part]


def tables(part: str, found: Found) -> list[Table]:
    """Give the tables of a part."""
    return {"fits": _fits, "cost": _cost, "memory": _memory}[part](found)


def _fits(found: Found) -> list[Table]:
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
    table.notes.append(
        "Scheduler, client and workers share this machine's processors: with more workers than "
        "processors are free, they take turns, and the efficiency tells of the machine."
    )
    worst = min(row["converged"] / row["count"] for row in found.values())
    table.notes.append(f"Converged: {worst:.1%} of the fits, at least.")
    return [table]


def _cost(found: Found) -> list[Table]:
    columns = ["", "wall clock", "scheduler", "client", "workers"]
    table = Table("Milliseconds per empty job, two workers", columns)
    for name, row in found.items():
        cells = (f"{1e3 * row[what]:.2f}" for what in ("wall", "scheduler", "client", "workers"))
        table.add(name, *cells)
    ours = found[OURS]
    most = 1.0 / max(ours["scheduler"], ours["client"])
    table.notes += [
        "Wall clock: one after another in the client; the rest: processor time.",
        f"So one scheduler and one client start and end about {most:,.0f} jobs a second.",
        f"{NODES} workers are kept busy where a job takes {NODES / most:.1f} s or more: with "
        f"jobs of a second {most:,.0f} workers are, with samplings of a minute any number that "
        "a scheduler knows.",
        f"Against {THEIRS}: {ours['scheduler'] / found[THEIRS]['scheduler']:.1f} times the "
        f"scheduler's, {ours['client'] / found[THEIRS]['client']:.1f} times the client's time.",
    ]
    return [table]


def _memory(found: Found) -> list[Table]:
    first = next(iter(found.values()))
    columns = ["results", "results in all / MB", "client before / MB", "jobs submitted / MB"]
    columns += ["half of them done / MB", "all done / MB", "seconds"]
    table = Table(f"{first['jobs']:,} jobs of one client", columns)
    for name, row in found.items():
        held = row["held"]
        table.add(
            name,
            f"{row['jobs'] * row['size'] / 1e6:,.0f}",
            f"{row['before'] / 1e6:,.0f}",
            f"{row['submitted'] / 1e6:,.0f}",
            f"{held[len(held) // 2] / 1e6:,.0f}",
            f"{held[-1] / 1e6:,.0f}",
            f"{row['seconds']:.0f}",
        )
    table.notes.append(
        'Spilled is `JobEngine(spill="10 kB")`: a result that is in the store is read from there '
        "when it is asked for. What a job takes in the client, its task included: "
        f"{(first['submitted'] - first['before']) / first['jobs'] / 1e3:.1f} kB."
    )
    return [table]
