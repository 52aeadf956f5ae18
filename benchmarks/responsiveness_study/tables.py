"""What was found, as tables with notes; reads the records that are kept as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from side_by_side.table import Table

__all__ = ["HEADINGS", "describe_settings", "tables"]

HEADINGS = {"gaps": "How smooth the window stays", "start": "How soon the window opens"}

WINDOWS = {
    "own_window": "rheojobs: the whole window",
    "their_window": "RheoJAX's jobs in thread mode: a window with a label",
}


def describe_settings(part: str, settings: Mapping[str, Any]) -> str:
    """Say how a part was run."""
    where = f"on {settings['screen']}, repeats: {settings['repeats']}"
    return f"{where}, {settings['seconds']:g} s each." if part == "gaps" else f"{where}."


def tables(part: str, found: Mapping[str, Any]) -> list[Table]:
    """Give the tables of one part of the study."""
    return [_gaps(found) if part == "gaps" else _opening(found)]


def _gaps(found: Mapping[str, Any]) -> Table:
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
            table.add(title, *_cells(rows))
    calls = [row["progress_calls"] for row in found["own_window"] if row.get("progress_calls")]
    if calls:
        table.notes.append(
            f"In ours, besides the samplings, two jobs report 1,000 times a second each: "
            f"{min(calls):,} calls in a run, at least, which are passed on at 30 a second."
        )
    return table


def _cells(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{statistics.median(row['median'] for row in rows):.2f}",
        f"{statistics.median(row['p99'] for row in rows):.1f}",
        f"{max(row['p99.9'] for row in rows):.1f}",
        f"{max(row['max'] for row in rows):.1f}",
        f"{statistics.median(row['longer_than_a_frame'] for row in rows):g}",
        f"{100 * statistics.median(row['held'] / row['seconds'] for row in rows):.1f} %",
        f"{min(row['jobs_started'] for row in rows)}",
        f"{statistics.median(row['progress_signals'] for row in rows):g}",
    ]


_OPENING = ("painted", "usable", "processor")


def _opening(found: Mapping[str, Any]) -> Table:
    table = Table(
        "From the start of the process, s (median and range)",
        ("", "painted", "models there", "of it at work"),
    )
    rows = [row for row in found["again"] if "error" not in row]
    first = found["first"]
    if "error" not in first:
        table.add("first start, nothing kept", *(_middle([first], key) for key in _OPENING))
    if rows:
        table.add(f"again, {len(rows)} times", *(_middle(rows, key) for key in _OPENING))
    return table


def _middle(rows: Sequence[Mapping[str, Any]], key: str) -> str:
    """Write the median, and the range of more than one; an older study lacks some."""
    values = [row[key] for row in rows if key in row]
    if not values:
        return "–"
    middle = f"{statistics.median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}–{max(values):.2f})"
