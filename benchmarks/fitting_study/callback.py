"""What it costs a fit to tell of every iteration: with a listener, and with nobody to tell."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rheojobs import Dataset, fit

__all__ = ["cost_of_callback"]

SIZES = (60, 10_000)


def cost_of_callback(repeats: int, say: Callable[[str], object]) -> dict[str, Any]:
    """Fit by turns with and without a callback; gives medians in seconds, and its calls."""
    rows = []
    for size in SIZES:
        t = np.geomspace(0.01, 30.0, size)
        rng = np.random.default_rng(0)
        G = (
            1e5
            * (0.7 * np.exp(-t) + 0.3 * np.exp(-t / 10))
            * (1 + 0.02 * rng.standard_normal(size))
        )
        data = Dataset(t, G, "relaxation")
        told: list[Any] = []
        fit(data, "maxwell", weights="relative", callback=told.append)
        without, with_one = [], []
        for _ in range(4 * repeats):
            began = time.perf_counter()
            fit(data, "maxwell", weights="relative")
            without.append(time.perf_counter() - began)
            told.clear()
            began = time.perf_counter()
            fit(data, "maxwell", weights="relative", callback=told.append)
            with_one.append(time.perf_counter() - began)
        row = {
            "points": size,
            "without": statistics.median(without),
            "with": statistics.median(with_one),
            "calls": len(told),
        }
        rows.append(row)
        say(f"  {size} points: {row['with'] / row['without'] - 1:+.1%}")
    return {"rows": rows}
