"""Fits of very many points, each side in a process of its own: its time, and its peak memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from side_by_side.child import ChildError, call_alone
from side_by_side.measure import memory_now, memory_peak, timed, wait_until_quiet
from side_by_side.table import NONE, Table, median, number
from side_by_side.table import seconds as written

from fitting_study.problems import PROBLEMS, Problem
from fitting_study.single import JOB, as_job
from fitting_study.solvers import SOLVERS, Fit

__all__ = ["measure", "run", "tables"]


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit data of each size by each side; return seconds, costs and megabytes."""
    found: dict[str, Any] = {model: [] for model in PROBLEMS}
    for model in PROBLEMS:
        for size in settings["sizes"]:
            row: dict[str, Any] = {"points": size}
            for side in (*SOLVERS, JOB):
                wait_until_quiet()
                given = {"model": model, "side": side, "size": size}
                try:
                    row[side] = call_alone(
                        "fitting_study.large:run", say, **given, repeats=settings["repeats"]
                    )
                except ChildError as error:  # such as one that was killed for its memory
                    row[side] = {"error": str(error)}
                say(f"{model}, {size:,} points, {side}: {_cell(row[side])}")
            found[model].append(row)
    return found


def run(
    model: str, side: str, size: int, repeats: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit once, and again; return the seconds of the later fits, the cost and the memory.

    The memory is the most, MB, beyond what the process had with the data before the fits. A
    worker's is added to its application's.
    """
    problem = PROBLEMS[model]
    x, y = problem.data(size, 0)
    with _fit(side, problem) as fit:
        fit(*problem.data(60, 0))  # imports
        before = memory_now()
        first, values = timed(lambda: fit(x, y))
        again = [timed(lambda: fit(x, y))[0] for _ in range(max(1, repeats // 2))]
        peak = memory_peak()
    return {
        "first": first,
        "seconds": median(again),
        "cost": problem.cost(values, x, y),
        "megabytes": peak - before,
        "before": before,
    }


@contextlib.contextmanager
def _fit(side: str, problem: Problem) -> Iterator[Fit]:
    if side != JOB:
        yield SOLVERS[side](problem)
        return
    from rheojobs import PRELOAD, JobEngine

    with JobEngine("processes", max_workers=1, preload=PRELOAD) as engine:
        yield as_job(problem, engine)


def _cell(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return NONE
    return f"{written(row['seconds'])} s, {number(row['megabytes'])} MB"


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare times and memory."""
    sides = (*SOLVERS, JOB)
    table = Table(
        "Very many points, each side in its own process: time of a second fit, memory at most",
        ["model", "points", *sides],
    )
    for model, rows in found.items():
        for row in rows:
            table.add(model, f"{row['points']:,}", *(_cell(row[side]) for side in sides))
            costs = {s: row[s]["cost"] for s in sides if "error" not in row[s]}
            worst = max(costs, key=lambda side: costs[side])
            apart = costs[worst] / min(costs.values()) - 1.0
            words = f"{model}, {row['points']:,}: sums of squares agree to {apart:.0e} ({worst})."
            table.notes.append(words)
    table.notes.append("Memory beyond what the process had before, which holds the data.")
    return [table]
