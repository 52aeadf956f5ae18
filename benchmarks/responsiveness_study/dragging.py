"""How soon the curve follows a slider, and how smooth the window stays meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.table import Table, spread

from responsiveness_study.windows import run_window

__all__ = ["measure", "tables"]

COLUMNS = {
    "curves": "curves",
    "wait_median": "from a move to its curve, median",
    "wait_p99": "99 %",
    "p99.9": "gap in the event loop, 99.9 %",
    "max": "longest",
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Drag a slider in a few windows."""
    rows = []
    for number in range(settings["repeats"]):
        rows.append(run_window("dragging_window", folder / "dragging", settings["seconds"]))
        say(f"run {number + 1}: {rows[-1].get('wait_median', float('nan')):.1f} ms to a curve")
    return {"rows": rows}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the waiting times and the gaps."""
    title = "A slider of a six-mode model moves with each frame: times in ms (median and range)"
    table = Table(title, ("", *COLUMNS.values()))
    table.notes += [row["error"] for row in found["rows"] if "error" in row]
    rows = [row for row in found["rows"] if "error" not in row]
    if rows:
        table.add("the window", *(spread([row[key] for row in rows]) for key in COLUMNS))
    return [table]
