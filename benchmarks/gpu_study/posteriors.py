"""Many posteriors of one model, one after another, by turns on each device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.measure import by_turns, timed
from side_by_side.table import Table, median, seconds
from side_by_side.work import relaxations

from gpu_study.device import devices, names_of

__all__ = ["measure", "sample_all", "tables"]

POINTS = 50
WARMUP, DRAWS, CHAINS = 300, 500, 4


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Sample all posteriors on each device; return the seconds of each turn."""
    names, count = names_of(settings), settings["posteriors"]
    found: dict[str, Any] = {"devices": names, "count": count}
    with devices(settings, say) as sides:
        calls = {
            name: partial(side, "gpu_study.posteriors:sample_all") for name, side in sides.items()
        }
        for call in calls.values():  # compiles
            call(count=1)
        turns = by_turns({n: partial(call, count=count) for n, call in calls.items()}, 1)
    for name in names:
        found[name] = [each["seconds"] for each in turns[name]]
        say(f"{count:,} posteriors on {name}: {median(found[name]):.1f} s")
    means = np.array([turns[name][0]["means"] for name in names])
    errors = np.array([turns[name][0]["errors"] for name in names]).max(axis=0)
    found["apart"] = float(np.max(np.ptp(means, axis=0) / errors))
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the rates."""
    title = f"{found['count']:,} posteriors of maxwell, {CHAINS} × ({WARMUP} + {DRAWS}) draws, hot"
    table = Table(title, ("device", "seconds", "posteriors per second"))
    for name in found["devices"]:
        took = median(found[name])
        table.add(name, seconds(took), f"{found['count'] / took:.2f}")
    table.notes.append(f"Means of G0 differ by {found['apart']:.1f} standard errors at most.")
    return [table]


def sample_all(count: int) -> dict[str, Any]:
    """Sample on the device of this process; return the seconds, means of G0 and their errors."""
    from rheojobs import Dataset, sample

    data = [Dataset(t, G, "relaxation") for t, G in relaxations(count, POINTS)]
    lengths = {"num_warmup": WARMUP, "num_samples": DRAWS, "num_chains": CHAINS}
    took, results = timed(
        lambda: [sample(one, "maxwell", checkpoint="", **lengths) for one in data]
    )
    summaries = [result.summary["G0"] for result in results]
    return {
        "seconds": took,
        "means": [row["mean"] for row in summaries],
        "errors": [row["std"] / row["ess_bulk"] ** 0.5 for row in summaries],
    }
