"""The command: which parts, and how much of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from side_by_side.command import StudyCommand

from scaling_study.tables import HEADINGS, describe_settings, tables

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    command = StudyCommand(
        "benchmarks/scaling.py", ("distributed", "rheojax"), HEADINGS, describe_settings, tables
    )
    parser = argparse.ArgumentParser(prog="scaling.py", description="Jobs on a Dask cluster.")
    command.add_arguments(parser)
    add = parser.add_argument
    add("--fits", type=int, default=1_000, metavar="N", help="fits of a measurement (1000)")
    add("--jobs", type=int, default=10_000, metavar="N", help="jobs with results (10000)")
    add("--repeats", type=int, default=5, metavar="N", help="turns of each side (5)")
    arguments = parser.parse_args(argv)
    if min(arguments.fits, arguments.jobs, arguments.repeats) < 1:
        parser.error("--fits, --jobs and --repeats must be at least 1")
    quick = arguments.quick
    settings = {
        "fits": 60 if quick else arguments.fits,
        "workers": [1, 2] if quick else [1, 2, 4],
        "cost_jobs": 200 if quick else 1_000,
        "repeats": 1 if quick else arguments.repeats,
        "jobs": 300 if quick else arguments.jobs,
        "quick": quick,
    }

    def run_part(part: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
        def tell(line: str) -> None:
            say(f"  {line}")

        if part == "fits":
            from scaling_study.fits import measure_fits

            return measure_fits(settings["fits"], settings["workers"], tell)
        if part == "cost":
            from scaling_study.cost import measure_cost

            return measure_cost(settings["cost_jobs"], settings["repeats"], tell)
        from scaling_study.memory import measure_memory

        return measure_memory(settings["jobs"], tell)

    return command.main(arguments, settings, run_part)
