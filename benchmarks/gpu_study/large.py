"""Single fits of very many points, by turns on each device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from side_by_side.measure import by_turns, timed
from side_by_side.table import Table, median, seconds

from gpu_study.device import devices, names_of

__all__ = ["fit_once", "measure", "tables"]

BYTES_OF_A_POINT = 150
"""Memory that a process of each device needs; 80 were measured for ten million points."""

NOISE = 0.02


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit data of each size on each device; return the seconds of hot fits."""
    found: dict[str, Any] = {"devices": names_of(settings), "rows": []}
    with devices(settings, say) as sides:
        for points in map(int, settings["sizes"]):
            free = psutil.virtual_memory().available / len(sides)
            if points * BYTES_OF_A_POINT > free:
                say(f"{points:,} points: left out, they may need more than {free / 1e9:.0f} GB")
                continue
            calls = {
                name: partial(side, "gpu_study.large:fit_once", points=points)
                for name, side in sides.items()
            }
            first = {name: call() for name, call in calls.items()}  # compiles
            turns = by_turns(calls, settings["repeats"])
            row: dict[str, Any] = {"points": points}
            for name in calls:
                row[name] = [each["seconds"] for each in turns[name]]
            moduli = [each["G0"] for each in first.values()]
            row["apart"] = max(moduli) / min(moduli) - 1
            found["rows"].append(row)
            say(f"{points:,} points: {', '.join(f'{n} {median(row[n]):.3f} s' for n in calls)}")
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the devices at each size."""
    names = found["devices"]
    table = Table("Fits of maxwell, hot / s", ("points", *names, "G0 apart"))
    for row in found["rows"]:
        times = (seconds(median(row[name])) for name in names)
        table.add(f"{row['points']:,}", *times, f"{row['apart']:.0e}")
    return [table]


@cache
def _data(points: int) -> Any:
    from rheojobs import Dataset

    t = np.geomspace(0.01, 8.0, points)
    noise = 1 + NOISE * np.random.default_rng(points).standard_normal(points)
    return Dataset(t, 1e5 * np.exp(-t / 3.0) * noise, "relaxation")


def fit_once(points: int) -> dict[str, Any]:
    """Fit on the device of this process; return the seconds and a parameter."""
    from rheojobs import fit

    data = _data(points)
    start = {"G0": 1.7e5, "eta": 1.7 * 3e5}
    took, found = timed(lambda: fit(data, "maxwell", initial_params=start, weights="uniform"))
    return {"seconds": took, "G0": found.parameters["G0"]}
