"""The command: which parts, for how long, how often."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from side_by_side.command import StudyCommand

from responsiveness_study.tables import HEADINGS, describe_settings, tables
from responsiveness_study.windows import platform, run_window

__all__ = ["main"]

PATIENCE = 120.0
"""Seconds for a window to open and to close, besides those that are measured."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    command = StudyCommand(
        "benchmarks/responsiveness.py",
        ("PySide6", "rheojax", "pyqtgraph"),
        HEADINGS,
        describe_settings,
        tables,
    )
    parser = argparse.ArgumentParser(
        prog="responsiveness.py", description="How smooth the window stays, and how soon it opens."
    )
    command.add_arguments(parser)
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of a window (20)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="how often each (3)")
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1 or arguments.seconds < 5:
        parser.error("--repeats must be at least 1, and --seconds at least 5")
    repeats = 1 if arguments.quick else arguments.repeats
    seconds = 8.0 if arguments.quick else arguments.seconds

    def run_part(part: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
        if part == "gaps":
            return _compare_gaps(folder, seconds, repeats, say)
        return _time_opening(folder, repeats, say)

    settings = {"repeats": repeats, "seconds": seconds, "screen": platform()}
    return command.main(arguments, settings, run_part)


def _compare_gaps(
    folder: Path, seconds: float, repeats: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure both windows by turns; what is compiled is thrown away between."""
    found: dict[str, Any] = {"own_window": [], "their_window": []}
    for number in range(repeats):
        for module, rows in found.items():
            cache = folder / f"{module}-{number}"
            row = run_window(module, str(seconds), timeout=seconds + PATIENCE, cache=cache)
            rows.append(row)
            say(f"  {module}: longest gap {row.get('max', float('nan')):.1f} ms")
    return found


def _time_opening(folder: Path, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Open the window with nothing kept, then again and again."""
    cache = folder / "opening"
    rows = [run_window("opening", timeout=PATIENCE, cache=cache) for _ in range(2 * repeats + 2)]
    say(f"  opened {len(rows)} times")
    return {"first": rows[0], "again": rows[1:]}
