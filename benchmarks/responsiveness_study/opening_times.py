"""How soon the window opens: with nothing stored, then again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from side_by_side.table import Table, spread

from responsiveness_study.windows import run_window

__all__ = ["measure", "tables"]

COLUMNS = {"painted": "painted", "usable": "models there", "processor": "of it at work"}


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Open the window a few times with the same folder."""
    first, *again = (
        run_window("opening", folder / "opening") for _ in range(2 * settings["repeats"] + 2)
    )
    return {"first": first, "again": again}


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Return the times of the first start and of the later ones."""
    title = "From the start of the process, s (median and range)"
    table = Table(title, ("", *COLUMNS.values()))
    again = [row for row in found["again"] if "error" not in row]
    starts = (
        ("first start, nothing stored", [found["first"]]),
        (f"again, {len(again)} times", again),
    )
    for name, rows in starts:
        if rows and "error" not in rows[0]:
            table.add(name, *(spread([row[key] for row in rows]) for key in COLUMNS))
    return [table]
