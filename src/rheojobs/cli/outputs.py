"""Where a command's results go: to files, to the reader's terminal, to a pipe.

Imports neither the engine nor JAX, so that the commands which run nothing are quick.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from rheojobs.cli.encoding import print_json
from rheojobs.cli.request import FIGURE_SUFFIXES, check_output
from rheojobs.cli.statuses import BAD_INPUT, FAILED, INTERRUPTED
from rheojobs.errors import printable

if TYPE_CHECKING:
    from rheojobs.inference.comparison.ranking import Comparison
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "Outputs"]

PIPE_WIDTH = 160


def _screen(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # A pipe has no width: rich's 80 columns would cut tables that a file has room for.
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False)


@dataclass
class Outputs:
    """Where results go.

    Attributes
    ----------
    json, plot, posterior, report : Path or None
        Files; `json` may be ``-`` for standard output.
    talk : Console
        Progress and what was understood of the data: standard error.
    tables : Console
        Results: standard output, or standard error if JSON is written to standard output.
    """

    json: Path | None = None
    plot: Path | None = None
    posterior: Path | None = None
    report: Path | None = field(default=None, kw_only=True)
    talk: Console = field(default_factory=lambda: _screen(stderr=True))
    tables: Console = field(init=False)

    def __post_init__(self) -> None:
        check_output("--json", self.json)
        check_output("--plot", self.plot, FIGURE_SUFFIXES)
        check_output("--out", self.posterior)
        check_output("--report", self.report)
        self.tables = self.talk if str(self.json) == "-" else _screen(stderr=False)

    def write_json(self, result: FitResult | BayesianResult | Comparison) -> None:
        """Write the fields of the result, if JSON was asked for."""
        if self.json is None:
            return
        if str(self.json) == "-":
            from rheojobs.inference.results.json_format import to_json

            print_json(to_json(result))
        else:
            result.save(self.json)
            self.wrote(self.json)

    def write_report(self, fit: FitResult, title: str) -> None:
        """Write the full report of a fit, if it was asked for."""
        if self.report is not None:
            self.report.write_text(fit.to_markdown(title), encoding="utf-8")
            self.wrote(self.report)

    def wrote(self, path: Path) -> None:
        """Print that a file was written."""
        self.talk.print(printable(f"wrote {path}"), style="dim", markup=False)
