"""The command: which parts, and how often."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from side_by_side.command import StudyCommand

from fitting_study.tables import HEADINGS, describe_settings, tables

__all__ = ["main"]

DATASETS, FEW_DATASETS = 200, 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    command = StudyCommand(
        "benchmarks/fitting.py", ("PySide6", "rheojax"), HEADINGS, describe_settings, tables
    )
    parser = argparse.ArgumentParser(
        prog="fitting.py", description="Fits beside RheoJAX's jobs and loops, and SciPy."
    )
    command.add_arguments(parser)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="how often each (5)")
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1:
        parser.error("--repeats must be at least 1")
    repeats = 1 if arguments.quick else arguments.repeats

    def run_part(part: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
        del folder
        if part == "jobs":
            from fitting_study.jobs import compare_jobs

            return compare_jobs(repeats, say)
        if part == "inside":
            from fitting_study.inside import compare_with_scipy

            return compare_with_scipy(repeats, say)
        if part == "many":
            from fitting_study.many import compare_many

            return compare_many(FEW_DATASETS if arguments.quick else DATASETS, min(repeats, 3), say)
        from fitting_study.callback import cost_of_callback

        return cost_of_callback(repeats, say)

    settings = {"repeats": repeats, "quick": arguments.quick}
    return command.main(arguments, settings, run_part)
