"""Where a command's results go: to files, to the reader's terminal, to a pipe.

Imports neither the engine nor JAX, so that the commands which run nothing are quick.
"""

from __future__ import annotations

import json as writer
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from rheojobs.cli.encoding import print_json
from rheojobs.cli.request import FIGURE_SUFFIXES, check_output
from rheojobs.cli.statuses import DOUBTFUL
from rheojobs.cli.terminal.consent import check_overwriting
from rheojobs.cli.terminal.verbosity import is_quiet
from rheojobs.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rheojobs.inference.comparison.ranking import Comparison
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

__all__ = ["Outputs"]

PIPE_WIDTH = 160


def _screen(*, stderr: bool, quiet: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # A pipe has no width: rich's 80 columns would cut tables that a file has room for.
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, quiet=quiet)


@dataclass
class Outputs:
    """Where results go.

    Attributes
    ----------
    json, plot, posterior, report : Path or None
        Files; `json` may be ``-`` for standard output.
    overwrite : bool or None
        Whether existing files are replaced; None asks if there is a terminal.
    talk : Console
        Progress and what was understood of the data: standard error, unless --quiet is given.
    alerts : Console
        Warnings, and what to do after a stop: standard error.
    tables : Console
        Results: standard output, or as `talk` if JSON is written to standard output.
    """

    json: Path | None = None
    plot: Path | None = None
    posterior: Path | None = None
    report: Path | None = field(default=None, kw_only=True)
    overwrite: bool | None = field(default=None, kw_only=True)
    talk: Console = field(init=False)
    alerts: Console = field(init=False)
    tables: Console = field(init=False)

    def __post_init__(self) -> None:
        check_output("--json", self.json)
        check_output("--plot", self.plot, FIGURE_SUFFIXES)
        check_output("--out", self.posterior)
        check_output("--report", self.report)
        given = (self.json, self.plot, self.posterior, self.report)
        self.check_overwriting([path for path in given if path is not None])
        self.talk = _screen(stderr=True, quiet=is_quiet())
        self.alerts = _screen(stderr=True)
        self.tables = self.talk if self._is_piped else _screen(stderr=False)

    @property
    def _is_piped(self) -> bool:
        return str(self.json) == "-"

    def check_overwriting(self, paths: Iterable[Path]) -> None:
        """Ask or refuse, as `consent.check_overwriting` does, before anything is computed."""
        files = list(paths)
        check_overwriting(files, self.overwrite)
        self._replaced = {path for path in files if path.is_file()}

    def write_json(self, result: FitResult | BayesianResult | Comparison) -> None:
        """Write the fields of the result, if JSON was asked for."""
        if self.json is None:
            return
        if self._is_piped:
            from rheojobs.inference.results.json_format import to_json

            print_json(to_json(result))
        else:
            result.save(self.json)
            self.wrote(self.json)

    def write_plain(self, content: Any) -> bool:
        """Write a list or a dict as JSON, if JSON was asked for; return whether it was."""
        if self.json is None:
            return False
        text = writer.dumps(content, indent=2, ensure_ascii=False)
        if self._is_piped:
            print_json(text)
        else:
            self.json.write_text(text + "\n", encoding="utf-8")
            self.wrote(self.json)
        return True

    def write_report(self, fit: FitResult, title: str) -> None:
        """Write the full report of a fit, if it was asked for."""
        if self.report is not None:
            self.report.write_text(fit.to_markdown(title), encoding="utf-8")
            self.wrote(self.report)

    def wrote(self, path: Path) -> None:
        """Print that a file was written, or replaced."""
        verb = "replaced" if path in self._replaced else "wrote"
        self.talk.print(printable(f"{verb} {path}"), style="dim", markup=False)

    def status_of(self, doubt: str) -> int:
        """Return the exit status of work that is done; say so if its result is doubtful."""
        if not doubt:
            return 0
        self.alerts.print(f"exit status {DOUBTFUL}: {doubt}", markup=False, soft_wrap=True)
        return DOUBTFUL
