"""The command: which parts, and how much of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from side_by_side.command import StudyCommand

from engine_study.child import run_alone
from engine_study.tables import HEADINGS, describe_settings, tables

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    command = StudyCommand(
        "benchmarks/engine.py", ("PySide6", "rheojax"), HEADINGS, describe_settings, tables
    )
    parser = argparse.ArgumentParser(
        prog="engine.py", description="The job engine beside other executors."
    )
    command.add_arguments(parser)
    add = parser.add_argument
    add("--jobs", type=int, default=500, metavar="N", help="empty jobs of a measurement (500)")
    add("--repeats", type=int, default=9, metavar="N", help="turns of each side (9)")
    arguments = parser.parse_args(argv)
    if arguments.jobs < 1 or arguments.repeats < 1:
        parser.error("--jobs and --repeats must be at least 1")
    quick = arguments.quick
    settings = {
        "jobs": 50 if quick else arguments.jobs,
        "repeats": 1 if quick else arguments.repeats,
        "queue_repeats": 1 if quick else 3,
        "stored": 2_000 if quick else 100_000,
        "seconds": 1.0 if quick else 5.0,
        "draws": 400 if quick else 6_000,
        "starts": 6 if quick else 60,
        "quick": quick,
    }

    def run_part(part: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
        return run_alone(part, settings, folder, say)

    return command.main(arguments, settings, run_part)
