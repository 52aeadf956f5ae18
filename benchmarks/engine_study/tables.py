"""What was found, as tables with notes; reads the records that are kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from side_by_side.table import Table

from engine_study.flood import JOBS, PER_SECOND
from engine_study.overhead import BASE, HOW
from engine_study.queue import SIZES

__all__ = ["HEADINGS", "describe_settings", "tables"]

NONE = "–"

HEADINGS = {
    "overhead": "An empty job",
    "queue": "Long queues",
    "listing": "Many jobs in the store",
    "flood": "A flood of progress",
    "remaining": "The time remaining",
}

type Found = Mapping[str, Any]


def describe_settings(part: str, settings: Found) -> str:
    """Say how a part was run."""
    words = {
        "overhead": f"{settings['jobs']} jobs a turn, {settings['repeats']} turns of each side.",
        "queue": f"median of {settings['queue_repeats']}.",
        "listing": f"{settings['stored']:,} jobs.",
        "flood": f"{settings['seconds']:g} s.",
        "remaining": f"{settings['draws']} draws; fits from {settings['starts']} starts.",
    }
    return words[part] + (" Quick settings." if settings["quick"] else "")


def tables(part: str, found: Found) -> list[Table]:
    """Give the tables of one part of the study."""
    made = {
        "overhead": _overhead,
        "queue": _queue,
        "listing": _listing,
        "flood": _flood,
        "remaining": _remaining,
    }
    return [made[part](found)]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


def _overhead(found: Found) -> Table:
    table = Table(
        "An empty job on a warm worker, ms (median of the turns; × against the pool)",
        ["", "one at a time", "×", "many at once", "×", "processor, many at once", "×"],
    )
    base = found[BASE]
    for name, row in found.items():
        if "missing" in row:
            table.add(name, "not installed", *[""] * 5)
            continue
        cells = [name]
        for how in HOW:
            median = f"median_{how}"
            cells += [_ms(row[median]), f"{row[median] / base[median]:.2f}"]
        cells += [_ms(_processor(row)), f"{_processor(row) / _processor(base):.2f}"]
        table.add(*cells)
    table.notes += [
        "One worker each. Only where it says so are the jobs kept on disk: `submit` has then "
        "returned when the job was.",
        "“Processor” is what the application and the workers took of it together.",
    ]
    return table


def _processor(row: Found) -> float:
    return float(sum(row["cpu_at_once"].values()))


def _queue(found: Found) -> Table:
    sizes = [f"{size:,} jobs" for size in SIZES]
    title = "What a job costs by how many wait, ms (× from the first to the last)"
    table = Table(title, ["", *sizes, "×"])
    for name, row in found.items():
        times = [row[str(size)] for size in SIZES]
        table.add(name, *(f"{1000 * t:.3f}" for t in times), f"{times[-1] / times[0]:.2f}")
    table.notes.append("The logarithm of the number doubles from the first to the last.")
    return table


def _listing(found: Found) -> Table:
    title = f"A store of {found['count']:,} jobs that have ended, {found['bytes'] / 1e6:.0f} MB"
    table = Table(title, ["", "ms"])
    for label, seconds in found["seconds"].items():
        table.add(label, f"{1000 * seconds:.1f}")
    return table


def _flood(found: Found) -> Table:
    title = f"{JOBS} jobs, {PER_SECOND:,} calls of progress a second each"
    table = Table(title, ["", "measured"])
    table.add("calls a second", f"{found['calls_per_second']:,.0f}")
    table.add("events a second and job", f"{found['events_per_second_and_job']:.1f}")
    table.add("the application's processor time", f"{100 * found['application_cpu']:.0f} %")
    for name, ms in found["frame_ms"].items():
        if name != "frames":
            table.add(f"the UI thread's time in a frame, {name}", f"{ms:.2f} ms")
    return table


def _remaining(found: Found) -> Table:
    table = Table(
        "Time remaining of real samplings and fits, from a third of each stage on",
        ["", "seconds", "reports", "median error", "truth in the range"],
    )
    for name, row in found.items():
        shares = ("median_error", "within_range")
        cells = [NONE if row[key] is None else f"{100 * row[key]:.0f} %" for key in shares]
        table.add(name, f"{row['seconds']:.1f}", str(row["reports"]), *cells)
    return table
