"""The gaps in the event loop of this project's window and of one with RheoJAX's jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from side_by_side.table import Table

from responsiveness_study.windows import run_window

__all__ = ["measure", "tables"]

WINDOWS = {
    "own_window": "rheojobs: the whole window",
    "their_window": "RheoJAX's jobs in thread mode: a window with a label",
}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure both windows by turns; what is compiled is thrown away between."""
    found: dict[str, Any] = {module: [] for module in WINDOWS}
    for number in range(settings["repeats"]):
        for module, rows in found.items():
            rows.append(run_window(module, folder / f"{module}-{number}", settings["seconds"]))
            say(f"{module}: longest gap {rows[-1].get('max', float('nan')):.1f} ms")
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the windows."""
    columns = (
        "four samplings compile and run",
        "median",
        "99 %",
        "99.9 % (worst run)",
        "longest",
        "gaps over 16 ms, a run",
        "share of the time in them",
        "jobs started",
        "progress signals, a run",
    )
    table = Table("Time between two ticks of a 1 ms timer in the window's event loop, ms", columns)
    for module, title in WINDOWS.items():
        rows = [row for row in found[module] if "error" not in row]
        table.notes += [f"{title}: {r['error']}" for r in found[module] if "error" in r]
        if rows:
            table.add(
                title,
                f"{median(row['median'] for row in rows):.2f}",
                f"{median(row['p99'] for row in rows):.1f}",
                f"{max(row['p99.9'] for row in rows):.1f}",
                f"{max(row['max'] for row in rows):.1f}",
                f"{median(row['longer_than_a_frame'] for row in rows):g}",
                f"{100 * median(row['held'] / row['seconds'] for row in rows):.1f} %",
                f"{min(row['jobs_started'] for row in rows)}",
                f"{median(row['progress_signals'] for row in rows):g}",
            )
    calls = [row["progress_calls"] for row in found["own_window"] if row.get("progress_calls")]
    if calls:
        table.notes.append(
            f"In ours, besides the samplings, two jobs report 1,000 times a second each: "
            f"{min(calls):,} calls in a run, at least, which are passed on at 30 a second."
        )
    return [table]
