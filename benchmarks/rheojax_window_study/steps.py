"""Each step of the window, timed by the driver that the tests use, both ways by turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.measure import by_turns, wait_until_quiet
from side_by_side.table import Table, spread

__all__ = ["measure", "tables"]

ROOT = Path(__file__).parents[2]
LIMIT = 600.0

SIDES = {"RheoJAX": (), "with rheojobs": ("--ours",)}
STEPS = {
    "first fit": "first fit",
    "second fit": "second fit",
    "first sampling": "first sampling",
    "second sampling": "second sampling",
    "look at the plots": "eight plots, from the click until all are there",
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Go through the steps a few times each way; first each with nothing stored."""
    data = Path(os.environ.get("RHEOJOBS_DATA", ROOT.parent / "shared" / "data"))
    file = data / "ps145_relaxation.csv"
    if not file.exists():
        raise FileNotFoundError(f"{file}: set RHEOJOBS_DATA")

    def run(side: str, cache: Path) -> dict[str, Any]:
        wait_until_quiet()
        say(f"{side}, {cache.name}")
        out = folder / "seen.json"
        out.unlink(missing_ok=True)
        subprocess.run(
            [
                *(sys.executable, "-m", "tests.integrations.rheojax.driver", "each", out, file),
                *SIDES[side],
            ],
            cwd=ROOT,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "RHEOJOBS_CACHE_DIR": str(cache)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT,
            check=True,
        )
        seen: dict[str, Any] = json.loads(out.read_text())
        return seen

    cold = {side: run(side, folder / "empty") for side in SIDES}
    sides = {side: lambda side=side: run(side, folder / "empty") for side in SIDES}
    return {"cold": cold, "warm": by_turns(sides, settings["repeats"])}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the times and gaps of each step."""
    sides = list(SIDES)
    times = Table("Seconds from the click until the step is done (median and range)", ("", *sides))
    for key, name in STEPS.items():
        times.add(name, *(spread([row[key]["seconds"] for row in found["warm"][s]]) for s in sides))
    for key in ("first fit", "first sampling"):
        cold = (f"{found['cold'][side][key]['seconds']:.3g}" for side in sides)
        times.add(f"{key}, nothing stored (once)", *cold)
    there = "the window is there, from the start of the process"
    times.add(there, *(spread([row["window there"] for row in found["warm"][s]]) for s in sides))
    times.notes.append(
        "RheoJAX alone draws the eight plots when a sampling ends, within the time of that step; "
        "with rheojobs a worker draws them when the page is opened."
    )
    gaps = Table("Longest gap between two events of the window, ms", ("", *sides))
    for key, name in STEPS.items():
        rows = ([1e3 * row[key]["longest_gap"] for row in found["warm"][s]] for s in sides)
        gaps.add(name, *(spread(row) for row in rows))
    values = Table("Different values of the status bar's progress", ("", *sides))
    for key in ("first fit", "first sampling", "second sampling"):
        rows = ([row[key]["status_values"] for row in found["warm"][s]] for s in sides)
        values.add(STEPS[key], *(spread(row) for row in rows))
    return [times, gaps, values]
