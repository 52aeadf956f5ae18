"""Whole fit jobs, submit to completed, of both systems by turns on the same new data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.cases import case as case_of
from side_by_side.measure import by_turns
from side_by_side.sides import Rheojax, Rheojobs, alone
from side_by_side.table import Table, median, ratio, seconds

__all__ = ["measure", "tables"]


def measure(
    settings: Mapping[str, Any], folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Fit each case first once, then `repeats` times on data of other lengths."""
    found: dict[str, Any] = {}
    for model in settings["models"]:
        case = case_of(model)
        with Rheojobs() as ours, Rheojax() as theirs:
            turns = {side.name: iter((case.data, *3 * case.others)) for side in (ours, theirs)}

            def take(side: Any, case: Any = case, turns: Any = turns) -> dict[str, Any]:
                data = next(turns[side.name])
                words = f"{case.model}, {side.name}, {len(data)} points"
                return alone(words, lambda: side.fit(case, data), say).to_record(len(data))

            sides = {side.name: partial(take, side) for side in (ours, theirs)}
            found[case.title] = by_turns(sides, 1 + settings["repeats"])
    return found


def tables(found: Mapping[str, Any]) -> list[Table]:
    """Compare the second fits of a kind."""
    columns = ("fit", "ours, first", "ours, second / s", "RheoJAX's job / s", "ratio")
    table = Table("Whole jobs, submit to completed; second of its kind, other lengths", columns)
    for title, sides in found.items():
        first, *rest = sides[Rheojobs.name]
        good = [row["seconds"] for row in sides[Rheojax.name][1:] if "error" not in row]
        ours, theirs = median(row["seconds"] for row in rest), median(good)
        cells = (seconds(value) for value in (first["seconds"], ours, theirs))
        table.add(title, *cells, ratio(theirs, ours))
        table.notes += [
            f"{title}, {side}: {rows[-1]['error']}"
            for side, rows in sides.items()
            if "error" in rows[-1]
        ]
    table.notes.append("Each side has its own tolerances: 1e-10 here, 1e-6 there.")
    return [table]
