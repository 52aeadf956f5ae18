"""What was found, as tables with notes; reads the records that are kept as JSON."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from side_by_side.table import Table

__all__ = ["HEADINGS", "describe_settings", "tables"]

HEADINGS = {
    "jobs": "Whole fits",
    "inside": "A fit against SciPy's",
    "many": "Many datasets",
    "callback": "What telling costs",
}

OURS, THEIRS = "rheojobs", "RheoJAX"


def describe_settings(part: str, settings: Mapping[str, Any]) -> str:
    """Say how a part was run."""
    return f"repeats: {settings['repeats']}." + (" Quick settings." if settings["quick"] else "")


def tables(part: str, found: Mapping[str, Any]) -> list[Table]:
    """Give the tables of one part of the study."""
    made = {"jobs": _jobs, "inside": _inside, "many": _many, "callback": _callback}
    return [made[part](found)]


def _seconds(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "–"


def _median(rows: Sequence[Mapping[str, Any]]) -> float:
    good = [row["seconds"] for row in rows if "error" not in row]
    return statistics.median(good) if good else math.nan


def _jobs(found: Mapping[str, Any]) -> Table:
    columns = ("fit", "ours, first", "ours, second / s", "RheoJAX's job / s", "ratio")
    table = Table("Whole jobs, submit to completed; second of its kind, other lengths", columns)
    for title, sides in found.items():
        ours, theirs = _median(sides[OURS][1:]), _median(sides[THEIRS][1:])
        first = _median(sides[OURS][:1])
        ratio = f"{theirs / ours:.0f}×" if math.isfinite(theirs / ours) else "–"
        table.add(title, _seconds(first), _seconds(ours), _seconds(theirs), ratio)
        table.notes += [
            f"{title}, {side}: {rows[-1]['error']}"
            for side, rows in sides.items()
            if "error" in rows[-1]
        ]
    table.notes.append("Each side has its own tolerances: 1e-10 here, 1e-6 there.")
    return table


def _inside(found: Mapping[str, Any]) -> Table:
    columns = ("model", "points", "ours / s", "SciPy / s", "SciPy : ours", "parameters apart")
    table = Table("In a hot process, from the same start, relative residuals", columns)
    for model, rows in found.items():
        for row in rows:
            table.add(
                model,
                f"{row['points']:,}",
                _seconds(row["ours"]),
                _seconds(row["scipy"]),
                f"{row['scipy'] / row['ours']:.2g}×",
                f"{row['apart']:.0e}",
            )
    return table


def _many(found: Mapping[str, Any]) -> Table:
    columns = ("side", "seconds", "fits per second")
    table = Table(f"{found['count']} datasets of 50 points, maxwell", columns)
    medians = {side: statistics.median(found[side]) for side in ("ours", "rheojax")}
    names = {"ours": "jobs on two workers", "rheojax": "RheoJAX's model.fit in a loop, hot"}
    for side, name in names.items():
        table.add(name, _seconds(medians[side]), f"{found['count'] / medians[side]:.0f}")
    table.notes.append(
        f"{medians['rheojax'] / medians['ours']:.1f}× as many; G0 agrees to {found['apart']:.0e}."
    )
    return table


def _callback(found: Mapping[str, Any]) -> Table:
    columns = ("points", "without / s", "with / s", "calls", "cost")
    table = Table("A fit with a callback and without, maxwell", columns)
    for row in found["rows"]:
        cost = row["with"] / row["without"] - 1
        table.add(
            f"{row['points']:,}",
            _seconds(row["without"]),
            _seconds(row["with"]),
            str(row["calls"]),
            f"{100 * cost:+.1f} %",
        )
    return table
