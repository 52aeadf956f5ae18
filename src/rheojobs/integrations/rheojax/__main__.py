"""Start RheoJAX's window on our engine: ``python -m rheojobs.integrations.rheojax``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rheojobs.engine.store import default_path
from rheojobs.errors import RheojobsError, one_line
from rheojobs.integrations.rheojax.hooks import run_window
from rheojobs.integrations.rheojax.installation import OBJECTIVES, install

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None, program: str = "") -> int:
    """Install the engine and open the window.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default. What is not known here goes to RheoJAX.
    program : str
        The name in the help.

    Returns
    -------
    int
        The exit status: 2 if the window cannot be opened.
    """
    given, others = _parser(program).parse_known_args(arguments)
    store = None if given.no_store else given.store or default_path()
    try:
        install(
            objective=given.objective,
            workers=given.workers,
            store=store,
            lazy_plots=not given.plots_at_once,
        )
    except RheojobsError as error:
        print(f"rheojobs: {one_line(error)}", file=sys.stderr)
        return 2
    return run_window(others)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program or "python -m rheojobs.integrations.rheojax",
        description="Open RheoJAX's window, with its fits and samplings on the engine of rheojobs.",
        epilog="All other arguments are RheoJAX's, such as --project FILE.rheojax, or "
        "--import FILE --protocol relaxation.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--objective",
        choices=OBJECTIVES,
        default="rheojax",
        help="whose residuals, noise and default priors (default: rheojax)",
    )
    parser.add_argument(
        "--workers", type=_count, default=2, metavar="N", help="jobs at a time (default: 2)"
    )
    parser.add_argument("--store", metavar="FILE", help="another store of jobs than the user's")
    parser.add_argument("--no-store", action="store_true", help="store no jobs")
    parser.add_argument(
        "--plots-at-once",
        action="store_true",
        help="draw the diagnostic plots in the window, when a sampling ends",
    )
    return parser


def _count(text: str) -> int:
    value = int(text) if text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 up, got {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
