"""The command: which parts, for which models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from side_by_side.command import StudyCommand

__all__ = ["main"]

MODELS = ("maxwell", "fractional_maxwell_liquid", "carreau", "generalized_maxwell")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; gives the exit status."""
    try:
        from sampling_study.tables import HEADINGS, describe_settings, tables
    except ImportError as error:  # the tables name what the systems beside us are called
        print(f"the study needs `make bench`'s environment: {error}", file=sys.stderr)
        return 2

    command = StudyCommand(
        "benchmarks/sampling.py",
        ("nutpie", "PySide6", "rheojax"),
        HEADINGS,
        describe_settings,
        tables,
    )
    parser = argparse.ArgumentParser(
        prog="sampling.py",
        description="Samplings beside RheoJAX's job system, plain NumPyro and nutpie.",
    )
    command.add_arguments(parser)
    add = parser.add_argument
    add("--models", nargs="+", choices=MODELS, default=MODELS, help="models (all)")
    add("--repeats", type=int, default=3, metavar="N", help="how often each (3)")
    add("--cancels", type=int, default=100, metavar="N", help="jobs to cancel (100)")
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1 or arguments.cancels < 1:
        parser.error("--repeats and --cancels must be at least 1")
    from side_by_side.cases import Sampling

    quick = arguments.quick
    sampling = Sampling(num_warmup=100, num_samples=200) if quick else Sampling()
    repeats = 1 if quick else arguments.repeats
    settings = {**vars(sampling), "repeats": repeats, "quick": quick}

    def run_part(part: str, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
        """Run a part; what one model cannot do does not stop the others."""
        from sampling_study.study import Study

        study = Study(
            models=tuple(arguments.models),
            repeats=repeats,
            cancels=12 if quick else arguments.cancels,
            sampling=sampling,
            scratch=folder,
            say=say,
        )
        if part == "cancel":
            from sampling_study.cancels import cancel_at_random

            return cancel_at_random(study)
        if part == "jobs":
            from sampling_study.jobs import compare_jobs as compare
        elif part == "bare":
            from sampling_study.bare import compare_with_kernel as compare
        else:
            from sampling_study.starts import compare_starts as compare
        return {model: compare(study, model) for model in study.models}

    return command.main(arguments, settings, run_part)
