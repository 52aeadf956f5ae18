"""Many datasets of one model: jobs of an engine against a loop over RheoJAX's `model.fit`.

Both sides are hot: the loop runs in a process of its own that has fitted one dataset before,
and so have the engine's workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.child import Child, Mouth, serve
from side_by_side.measure import timed, wait_until_quiet
from side_by_side.table import Table, median, seconds
from side_by_side.work import relaxations

__all__ = ["measure", "tables"]


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit all datasets on both sides, by turns; return seconds for all of them."""
    from rheojobs import PRELOAD, Dataset, FitTask, JobEngine

    made = relaxations(settings["datasets"], 50)
    rows = [[t.tolist(), G.tolist()] for t, G in made]
    options = {"weights": "uniform"}
    tasks = [FitTask("maxwell", Dataset(t, G, "relaxation"), None, options) for t, G in made]
    found: dict[str, Any] = {"count": len(made), "ours": [], "rheojax": []}
    with (
        JobEngine("processes", max_workers=2, preload=PRELOAD) as engine,
        Child("fitting_study.many") as loop,
    ):

        def ours(tasks: list[FitTask]) -> list[float]:
            jobs = [engine.submit(task) for task in tasks]
            return [job.result().parameters["G0"] for job in jobs]

        def theirs(rows: list[Any]) -> Any:
            loop.ask({"rows": rows})
            return loop.hear()[1]

        ours(tasks[:4])
        theirs(rows[:1])
        for _ in range(min(settings["repeats"], 3)):
            wait_until_quiet()
            took, own = timed(lambda: ours(tasks))
            wait_until_quiet()
            said = theirs(rows)
            found["ours"].append(took)
            found["rheojax"].append(said["seconds"])
            found["apart"] = float(np.max(np.abs(np.divide(own, said["G0"]) - 1)))
            say(f"{len(made)} datasets: {took:.2f} s, RheoJAX's loop {said['seconds']:.2f} s")
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the rates."""
    columns = ("side", "seconds", "fits per second")
    table = Table(f"{found['count']} datasets of 50 points, maxwell", columns)
    ours, theirs = median(found["ours"]), median(found["rheojax"])
    for name, value in (
        ("jobs on two workers", ours),
        ("RheoJAX's model.fit in a loop, hot", theirs),
    ):
        table.add(name, seconds(value), f"{found['count'] / value:.0f}")
    table.notes.append(f"{theirs / ours:.1f}× as many; G0 agrees to {found['apart']:.0e}.")
    return [table]


def _loop(request: Mapping[str, Any], mouth: Mouth) -> None:
    """Fit the datasets with RheoJAX, one after another."""
    import rheojax.models  # noqa: F401  (fills the registry)
    from rheojax.core.registry import ModelRegistry

    rows = [(np.array(t), np.array(G)) for t, G in request["rows"]]

    def fit_all() -> list[float]:
        found = []
        for t, G in rows:
            model = ModelRegistry.create("maxwell")
            model.fit(t, G, test_mode="relaxation")
            found.append(float(model.parameters.get("G0").value))
        return found

    took, found = timed(fit_all)
    mouth.say("result", seconds=took, G0=found)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    serve(_loop)
