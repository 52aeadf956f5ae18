"""Many datasets of one model: jobs of an engine against a loop over RheoJAX's `model.fit`.

Both sides are hot: the loop runs in a process of its own that has fitted one dataset before,
and so have the engine's workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from side_by_side.machine import wait_until_quiet

from fitting_study.child import loop_in_rheojax
from rheojobs import Dataset, FitTask, JobEngine
from rheojobs.inference.readiness.warm_up import PRELOAD

__all__ = ["compare_many"]

POINTS = 50


def datasets(count: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Make relaxations of a Maxwell model, each of its own modulus and time, 2 % noise."""
    rng = np.random.default_rng(7)
    made = []
    for _ in range(count):
        G0, tau = 10 ** rng.uniform(3, 6), 10 ** rng.uniform(-1, 1)
        t = np.geomspace(0.02 * tau, 5 * tau, POINTS)
        made.append((t, G0 * np.exp(-t / tau) * (1 + 0.02 * rng.standard_normal(POINTS))))
    return made


def compare_many(count: int, repeats: int, say: Callable[[str], object]) -> dict[str, Any]:
    """Fit all datasets on both sides, by turns; gives seconds for all of them."""
    made = datasets(count)
    ours, theirs, apart = [], [], 0.0
    with (
        JobEngine("processes", max_workers=2, preload=PRELOAD) as engine,
        loop_in_rheojax() as loop,
    ):
        _fit_all(engine, made[:4])
        loop(made[:1])
        for _ in range(repeats):
            wait_until_quiet()
            began = time.perf_counter()
            own = _fit_all(engine, made)
            ours.append(time.perf_counter() - began)
            wait_until_quiet()
            seconds, others = loop(made)
            theirs.append(seconds)
            apart = max(abs(a["G0"] / b["G0"] - 1) for a, b in zip(own, others, strict=True))
            say(f"  {count} datasets: {ours[-1]:.2f} s, RheoJAX's loop {theirs[-1]:.2f} s")
    return {"count": count, "ours": ours, "rheojax": theirs, "apart": apart}


def _fit_all(engine: JobEngine, made: list[Any]) -> list[dict[str, float]]:
    jobs = [
        engine.submit(FitTask("maxwell", Dataset(t, G, "relaxation"), None, {"weights": "uniform"}))
        for t, G in made
    ]
    return [job.result().parameters for job in jobs]
