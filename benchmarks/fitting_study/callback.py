"""What it costs a fit to report every iteration: with a callback, and without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.measure import by_turns, timed
from side_by_side.table import Table, median, seconds

from rheojobs import Dataset, fit

__all__ = ["measure", "tables"]

SIZES = (60, 10_000)


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit by turns with and without a callback; return medians in seconds, and its calls."""
    rows = []
    for size in SIZES:
        t = np.geomspace(0.01, 30.0, size)
        noise = 1 + 0.02 * np.random.default_rng(0).standard_normal(size)
        data = Dataset(t, 1e5 * (0.7 * np.exp(-t) + 0.3 * np.exp(-t / 10)) * noise, "relaxation")
        calls: list[Any] = []
        without = partial(fit, data, "maxwell", weights="relative")
        sides = {"without": without, "with": partial(without, callback=calls.append)}
        without()  # compiles
        turns = by_turns(
            {side: partial(timed, run) for side, run in sides.items()}, 4 * settings["repeats"]
        )
        calls.clear()
        sides["with"]()
        times = {side: median(took for took, _ in turns[side]) for side in sides}
        rows.append({"points": size, **times, "calls": len(calls)})
        say(f"{size} points: {rows[-1]['with'] / rows[-1]['without'] - 1:+.1%}")
    return {"rows": rows}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare them."""
    columns = ("points", "without / s", "with / s", "calls", "cost")
    table = Table("A fit with a callback and without, maxwell", columns)
    for row in found["rows"]:
        cost = f"{100 * (row['with'] / row['without'] - 1):+.1f} %"
        times = (seconds(row["without"]), seconds(row["with"]))
        table.add(f"{row['points']:,}", *times, str(row["calls"]), cost)
    return [table]
