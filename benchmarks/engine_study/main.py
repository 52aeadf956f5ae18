"""The command of `benchmarks/engine.py`: arguments, parts, tables and the JSON file."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from side_by_side import machine
from side_by_side.table import Table

from engine_study.flood import JOBS, PER_SECOND, measure_flood
from engine_study.overhead import BASE, compare_overhead
from engine_study.queue import SIZES, measure_queue
from engine_study.remaining import measure_remaining

__all__ = ["main"]

RESULTS = Path(__file__).parents[1] / "results"
NONE = "–"
PARTS = ("overhead", "queue", "flood", "remaining")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="engine.py", description="The job engine beside other executors."
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="parts (all)")
    add("--jobs", type=int, default=300, metavar="N", help="empty jobs of a measurement (300)")
    add("--repeats", type=int, default=5, metavar="N", help="turns of each side (5)")
    add("--quick", action="store_true", help="one turn of 50 jobs, a second of flood: a check")
    add("--json", type=Path, default=RESULTS / "engine.json", metavar="OUT", help="all numbers")
    arguments = parser.parse_args(argv)
    if arguments.jobs < 1 or arguments.repeats < 1:
        parser.error("--jobs and --repeats must be at least 1")
    if arguments.quick:
        arguments.jobs, arguments.repeats = 50, 1
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; gives the exit status."""
    arguments = _arguments(argv)
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120)

    def say(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True)

    about = machine.describe()
    say(f"{about['processor']}, {about['cores']} cores, load {about['load']}")
    if about["load"] > 0.5:
        say("others use this machine: times will be too long, and scatter")
    found: dict[str, Any] = {}
    status = 0
    try:
        for part in arguments.only:
            found[part] = _measure(part, arguments, say)
            TABLES[part](found[part]).print(console)
    except KeyboardInterrupt:
        say("stopped")
        status = 130
    record = {
        "command": shlex.join(["python", "benchmarks/engine.py", *sys.argv[1:]]),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        "machine": about,
        "found": found,
    }
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    with contextlib.suppress(OSError):
        say(f"all numbers: {arguments.json}")
    return status


def _measure(part: str, arguments: argparse.Namespace, say: Any) -> dict[str, Any]:
    if part == "overhead":
        return compare_overhead(arguments.jobs, arguments.repeats, say)
    if part == "queue":
        return measure_queue(1 if arguments.quick else 3, say)
    if part == "remaining":
        return measure_remaining(400 if arguments.quick else 6000, say)
    return measure_flood(1.0 if arguments.quick else 5.0, say)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


def _overhead_table(found: Mapping[str, Any]) -> Table:
    table = Table(
        "An empty job on a warm worker, ms (median of the turns; × against the pool)",
        ["", "one at a time", "×", "many at once", "×"],
    )
    base = found[BASE]
    for name, row in found.items():
        if "missing" in row:
            table.add(name, "not installed", "", "", "")
            continue
        cells = [name]
        for how in ("median_one_at_a_time", "median_at_once"):
            cells += [_ms(row[how]), f"{row[how] / base[how]:.2f}"]
        table.add(*cells)
    table.notes.append("One worker each. Only where it says so are the jobs kept on disk.")
    return table


def _queue_table(found: Mapping[str, Any]) -> Table:
    sizes = [f"{size:,} jobs" for size in SIZES]
    title = "What a job costs by how many wait, ms (× from the first to the last)"
    table = Table(title, ["", *sizes, "×"])
    for name, row in found.items():
        times = [row[str(size)] for size in SIZES]
        table.add(name, *(f"{1000 * t:.3f}" for t in times), f"{times[-1] / times[0]:.2f}")
    table.notes.append("The logarithm of the number doubles from the first to the last.")
    return table


def _flood_table(found: Mapping[str, Any]) -> Table:
    table = Table(f"{JOBS} jobs, {PER_SECOND:,} calls of progress a second each", ["", ""])
    table.add("calls a second", f"{found['calls_per_second']:,.0f}")
    table.add("events a second and job", f"{found['events_per_second_and_job']:.1f}")
    table.add("the application's processor time", f"{100 * found['application_cpu']:.0f} %")
    frame = found["frame_ms"]
    if frame is None:
        table.notes.append("PySide6 is not installed: no window's share.")
    else:
        for name in ("median", "p99", "max"):
            table.add(f"the UI thread's time in a frame, {name}", f"{frame[name]:.2f} ms")
    return table


def _remaining_table(found: Mapping[str, Any]) -> Table:
    table = Table(
        "Time remaining of real samplings, from a third of each stage on",
        ["", "seconds", "reports", "median error", "truth in the range"],
    )
    for name, row in found.items():
        shares = ("median_error", "within_range")
        cells = [NONE if row[key] is None else f"{100 * row[key]:.0f} %" for key in shares]
        table.add(name, f"{row['seconds']:.1f}", str(row["reports"]), *cells)
    table.notes.append("Of fits the history of their kind tells, not their progress.")
    return table


TABLES = {
    "overhead": _overhead_table,
    "queue": _queue_table,
    "flood": _flood_table,
    "remaining": _remaining_table,
}
