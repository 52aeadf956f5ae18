"""Many fits of one model at once, by turns on each device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.measure import by_turns, timed
from side_by_side.table import Table, median, seconds
from side_by_side.work import relaxations

import rheojobs
from gpu_study.device import devices, names_of

__all__ = ["fit_all", "measure", "tables"]

POINTS = 50


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit all datasets on each device; return the seconds of each turn."""
    names, count = names_of(settings), settings["fits"]
    found: dict[str, Any] = {"devices": names, "count": count}
    with devices(settings, say) as sides:
        calls = {
            n: partial(side, "gpu_study.many:fit_all", count=count) for n, side in sides.items()
        }
        first = {name: call() for name, call in calls.items()}  # compiles
        turns = by_turns(calls, settings["repeats"])
    for name in names:
        found[name] = [each["seconds"] for each in turns[name]]
        say(f"{count:,} fits on {name}: {median(found[name]):.2f} s")
    found["good"] = min(each["good"] for each in first.values())
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the rates."""
    table = Table(
        f"{found['count']:,} fits of maxwell, {POINTS} points each, hot",
        ("device", "seconds", "fits per second"),
    )
    for name in found["devices"]:
        if name in found:
            took = median(found[name])
            table.add(name, seconds(took), f"{found['count'] / took:.0f}")
    return [table] if table.rows else []


def fit_all(count: int) -> dict[str, Any]:
    """Fit on the device of this process; return the seconds, and how many fits converged."""
    data = [rheojobs.Dataset(t, G, "relaxation") for t, G in relaxations(count, POINTS)]

    def run() -> list[bool]:  # a result is made when it is looked at
        results = rheojobs.fit_many(data, "maxwell", weights="uniform")
        return [result.success for result in results]

    took, good = timed(run)
    return {"seconds": took, "good": sum(good)}
