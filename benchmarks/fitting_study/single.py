"""A fit in a hot process, and as a job, beside SciPy's, optimistix' and NLSQ's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.measure import by_turns, timed
from side_by_side.table import Table, median, ratio
from side_by_side.table import seconds as written

from fitting_study.problems import PROBLEMS, Problem
from fitting_study.solvers import OURS, SCIPY, SOLVERS, Fit

__all__ = ["JOB", "as_job", "columns_of", "fastest_of_scipy", "measure", "tables"]

SIZES = (60, 1_000, 10_000)

OFTEN = 4
"""Fits of each side in a repeat: most take less than a millisecond."""

JOB = f"{OURS}, as a job"


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit data of each size, by turns; return medians in seconds, and how far the costs are apart.

    New data each time: a fit is of data that no side has seen.
    """
    from rheojobs import PRELOAD, JobEngine

    found: dict[str, Any] = {}
    with JobEngine("processes", max_workers=1, preload=PRELOAD) as engine:
        for name, problem in PROBLEMS.items():
            fits = {side: make(problem) for side, make in SOLVERS.items()}
            fits[JOB] = as_job(problem, engine)
            found[name] = []
            for size in SIZES:
                row = _row(problem, fits, size, OFTEN * settings["repeats"])
                found[name].append(row)
                times = ", ".join(f"{side} {row[side]:.4f} s" for side in fits)
                say(f"{name}, {size} points: {times}")
    return found


def as_job(problem: Problem, engine: Any) -> Fit:
    """Return a fit that is submitted to an engine, from the arrays to the result."""
    import numpy as np

    from rheojobs import FitTask

    def run(x: Any, y: Any) -> Any:
        data = problem.dataset(x, y)
        task = FitTask(problem.model, data, dict(problem.start), {"weights": "relative"})
        found = engine.submit(task).result().parameters
        return np.array([found[name] for name in problem.truth])

    return run


def _row(problem: Problem, fits: Mapping[str, Fit], size: int, repeats: int) -> dict[str, Any]:
    for fit in fits.values():
        fit(*problem.data(size, 0))  # compiles
    seeds = {side: iter(range(1, repeats + 1)) for side in fits}

    def turn(side: str) -> tuple[float, float]:
        x, y = problem.data(size, next(seeds[side]))
        seconds, values = timed(lambda: fits[side](x, y))
        return seconds, problem.cost(values, x, y)

    turns = by_turns({side: partial(turn, side) for side in fits}, repeats)
    row: dict[str, Any] = {"points": size, "apart": {}}
    least = [min(costs) for costs in zip(*([c for _, c in t] for t in turns.values()), strict=True)]
    for side, took in turns.items():
        row[side] = median(seconds for seconds, _ in took)
        row["apart"][side] = max(c / low - 1.0 for (_, c), low in zip(took, least, strict=True))
    return row


def fastest_of_scipy(row: Mapping[str, Any]) -> str:
    """Return which of SciPy's functions was fastest."""
    return min(SCIPY, key=lambda side: float(row[side]))


def columns_of(row: Mapping[str, Any], others: tuple[str, ...]) -> list[str]:
    """Return the cells of SciPy's fastest and of others: times, and times over ours."""
    scipy = fastest_of_scipy(row)
    cells = [f"{written(row[scipy])}, {scipy}", ratio(row[scipy], row[OURS], 2)]
    for side in others:
        cells += [written(row[side]), ratio(row[side], row[OURS], 2)]
    return cells


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare all sides."""
    others = ("optimistix LM, jitted", "NLSQ, kept")
    own = [OURS, f"{OURS}, no start", JOB]
    columns = ["model", "points", *(f"{side} / s" for side in own)]
    for side in ("SciPy's fastest", *others):
        columns += [f"{side} / s", ": ours"]
    table = Table("In a hot process, from the same start, residuals ln(curve/data)", columns)
    apart = []
    for model, rows in found.items():
        for row in rows:
            times = [written(row[side]) for side in own]
            table.add(model, f"{row['points']:,}", *times, *columns_of(row, others))
            apart += row["apart"].items()
    side, most = max(apart, key=lambda item: float(item[1]))
    table.notes.append(f"The sums of squares agree to {most:.0e} (the worst: {side}).")
    return [table]
