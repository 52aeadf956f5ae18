"""Batches of datasets of one model: ours in one call and as jobs, and loops over others' fits.

All are hot. RheoJAX's loop runs in a process of its own, on the smallest batch, with its residuals.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.child import Child, Mouth, serve
from side_by_side.measure import by_turns, timed, wait_until_quiet
from side_by_side.table import NONE, Table, median, number

from fitting_study.problems import PROBLEMS, Problem
from fitting_study.small_lm import minimized
from fitting_study.solvers import SOLVERS

__all__ = ["measure", "tables"]

POINTS = 50

RHEOJAX = "RheoJAX's model.fit in a loop"

type Batch = list[tuple[Any, Any]]
type FitAll = Callable[[Batch], Any]
"""Fits all datasets; the parameters, shape (datasets, p)."""


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit batches of each size on all sides, by turns; return seconds for all of a batch."""
    from rheojobs import PRELOAD, JobEngine

    found: dict[str, Any] = {}
    with JobEngine("processes", max_workers=2, preload=PRELOAD) as engine:
        for model, problem in PROBLEMS.items():
            sides = _sides(problem, engine)
            for count in settings["batches"]:
                batch = [problem.data(POINTS, seed) for seed in range(count)]
                row = _row(problem, sides, batch, settings["repeats"])
                say(f"{model}, {count} datasets: " + ", ".join(_told(row, side) for side in sides))
                found.setdefault(model, []).append(row)
    first = settings["batches"][0]
    batch = [PROBLEMS["maxwell"].data(POINTS, seed) for seed in range(first)]
    with Child("fitting_study.batches") as loop:
        for part in (batch[:1], batch):
            wait_until_quiet()
            loop.ask({"rows": [[t.tolist(), G.tolist()] for t, G in part]})
            told = loop.hear()[1]["seconds"]
    found["maxwell"][0][RHEOJAX] = {"seconds": told}
    say(f"{RHEOJAX}: {told:.1f} s")
    return found


def _told(row: Mapping[str, Any], side: str) -> str:
    return f"{side} {row[side]['seconds']:.3f} s"


def _row(
    problem: Problem, sides: Mapping[str, FitAll], batch: Batch, repeats: int
) -> dict[str, Any]:
    for fit_all in sides.values():
        fit_all(batch)  # compiles
    turns = by_turns(
        {side: partial(timed, partial(fit_all, batch)) for side, fit_all in sides.items()},
        min(repeats, 3),
    )
    costs = {
        side: np.array([problem.cost(u, *data) for u, data in zip(took[0][1], batch, strict=True)])
        for side, took in turns.items()
    }
    least = np.min(np.stack(list(costs.values())), axis=0)
    row: dict[str, Any] = {"datasets": len(batch)}
    for side, took in turns.items():
        apart = costs[side] / least - 1.0
        row[side] = {
            "seconds": median(seconds for seconds, _ in took),
            "apart": float(np.median(apart)),
            "missed": int(np.sum(~(apart < 1e-3))),
        }
    return row


def _sides(problem: Problem, engine: Any) -> dict[str, FitAll]:
    """Return what fits a batch, by name."""
    fits = {
        name: SOLVERS[name](problem) for name in ("rheojobs", "leastsq", "optimistix LM, jitted")
    }

    def loop_of(name: str) -> FitAll:
        return lambda batch: [fits[name](x, y) for x, y in batch]

    return {
        "rheojobs.fit_many, no start": _together(problem, with_start=False),
        "rheojobs.fit_many": _together(problem),
        "rheojobs.fit_many, statistics not read": _together(problem, is_read=False),
        "rheojobs.fit in a loop": loop_of("rheojobs"),
        "jobs on two workers": _as_jobs(problem, engine),
        "leastsq in a loop": loop_of("leastsq"),
        "optimistix LM, jitted, in a loop": loop_of("optimistix LM, jitted"),
        "a small LM, vmapped": _vmapped(problem),
    }


def _together(problem: Problem, with_start: bool = True, is_read: bool = True) -> FitAll:
    """Return a call of `fit_many`; each of its results is made when it is read."""
    import rheojobs

    start = dict(problem.start) if with_start else None

    def run(batch: Batch) -> Any:
        datasets = [problem.dataset(x, y) for x, y in batch]
        found = rheojobs.fit_many(datasets, problem.model, initial_params=start, weights="relative")
        rows = ([fit.parameters[name] for name in problem.truth] for fit in found)
        return list(rows) if is_read else rows

    return run


def _as_jobs(problem: Problem, engine: Any) -> FitAll:
    from rheojobs import FitTask

    def run(batch: Batch) -> Any:
        options = {"weights": "relative"}
        datasets = [problem.dataset(x, y) for x, y in batch]
        start = dict(problem.start)
        jobs = [engine.submit(FitTask(problem.model, data, start, options)) for data in datasets]
        found = [job.result().parameters for job in jobs]
        return [[fitted[name] for name in problem.truth] for fitted in found]

    return run


def _vmapped(problem: Problem) -> FitAll:
    import jax
    import jax.numpy as jnp

    def residuals(u: Any, x: Any, logarithm: Any) -> Any:
        return problem.logarithm(jnp, x, *u) - logarithm

    @jax.jit
    @jax.vmap
    def solve(x: Any, y: Any) -> Any:
        u = minimized(residuals, jnp.asarray(problem.begin), x, jnp.log(y))
        return jnp.stack(problem.parameters(jnp, u))

    return lambda batch: np.asarray(solve(*(np.stack(rows) for rows in zip(*batch, strict=True))))


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the rates."""
    made = []
    for model, rows in found.items():
        sides = list(dict.fromkeys(side for row in rows for side in row if side != "datasets"))
        table = Table(
            f"{model}, datasets of {POINTS} points: fits per second",
            ["side", *(f"{row['datasets']:,}" for row in rows), "sums of squares apart", "missed"],
        )
        for side in sides:
            table.add(side, *(_rate(row, side) for row in rows), *_worst(rows, side))
        table.notes.append(
            "From one start, RheoJAX from its own; missed: a sum of squares 0.1 % above the least "
            "of all sides. The others return parameters alone; ours errors, criteria and residuals "
            "too, which fit_many computes when a result is read."
        )
        made.append(table)
    return made


def _rate(row: Mapping[str, Any], side: str) -> str:
    return number(row["datasets"] / row[side]["seconds"]) if side in row else NONE


def _worst(rows: list[dict[str, Any]], side: str) -> list[str]:
    known = [row[side] for row in rows if "apart" in row.get(side, {})]
    if not known:
        return [NONE, NONE]
    missed = sum(each["missed"] for each in known)
    return [f"{max(each['apart'] for each in known):.0e}", str(missed)]


def _loop(request: Mapping[str, Any], mouth: Mouth) -> None:
    """Fit the datasets with RheoJAX, one after another."""
    import rheojax.models  # noqa: F401  (fills the registry)
    from rheojax.core.registry import ModelRegistry

    rows = [(np.array(t), np.array(G)) for t, G in request["rows"]]

    def fit_all() -> None:
        for t, G in rows:
            ModelRegistry.create("maxwell").fit(t, G, test_mode="relaxation")

    mouth.say("result", seconds=timed(fit_all)[0])


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    serve(_loop)
