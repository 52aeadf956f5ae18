"""Export a result to a file of the type given by its suffix: table, JSON, draws, figure, report.

Runs inside a worker, since importing the libraries for figures and NetCDF takes a second.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_report import remark
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.whole_files import replace

__all__ = ["KINDS", "check_export", "export"]

Result = FitResult | BayesianResult

KINDS: dict[str, str] = {
    ".html": "report",
    ".csv": "parameters",
    ".json": "all numbers",
    ".nc": "draws for ArviZ (NetCDF)",
    ".png": "figure",
    ".svg": "figure",
    ".pdf": "figure",
}
"""The type of file of each suffix."""


def check_export(result: Result, path: Path) -> None:
    """Raise `InputError` if a result cannot be exported to such a file."""
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise InputError(f"{path.name} names no kind of file: {nearest(suffix, KINDS)}")
    if suffix == ".nc" and not isinstance(result, BayesianResult):
        raise InputError(f"{path.name}: a fit has no draws; .json has all its numbers")


def export(result: Result, dataset: Dataset, path: str) -> str:
    """Write a result; return the path.

    Parameters
    ----------
    result : FitResult or BayesianResult
        What to write.
    dataset : Dataset
        The data of the result.
    path : str
        The file; its suffix is one of `KINDS`.

    Raises
    ------
    InputError
        If it cannot be written, in one line.
    """
    file = Path(path)
    check_export(result, file)
    # To a temporary file first, so that an existing file stays until all is written.
    fresh = file.with_name(f".{file.stem}.part{file.suffix}")
    try:
        _writer(file.suffix.lower())(result, dataset, fresh)
        replace(fresh, file)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        fresh.unlink(missing_ok=True)
    return path


def _writer(suffix: str) -> Callable[[Result, Dataset, Path], None]:
    return {".html": _page, ".csv": _table, ".json": _json, ".nc": _draws}.get(suffix, _figure)


def _page(result: Result, dataset: Dataset, path: Path) -> None:
    from rheojobs.inference.reports.html import html_report

    path.write_text(html_report(result, dataset), encoding="utf-8")


def _json(result: Result, dataset: Dataset, path: Path) -> None:
    result.save(path)


def _draws(result: Result, dataset: Dataset, path: Path) -> None:
    assert isinstance(result, BayesianResult)
    result.save_netcdf(path)


def _figure(result: Result, dataset: Dataset, path: Path) -> None:
    from rheojobs.inference.reports.html import figure_of

    figure_of(result, dataset).savefig(path)


def _table(result: Result, dataset: Dataset, path: Path) -> None:
    rows = _fit_rows(result) if isinstance(result, FitResult) else _draws_rows(result)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _fit_rows(fit: FitResult) -> list[list[object]]:
    rows: list[list[object]] = [
        ["parameter", "estimate", "standard_error", "unit", "lower_95", "upper_95", "remark"]
    ]
    for name, value in fit.parameters.items():
        error, unit = fit.uncertainties.get(name, ""), fit.units.get(name, "")
        ends = fit.intervals.get(name, ("", ""))
        rows.append([name, value, error, unit, *ends, remark(fit, name)])
    return rows


def _draws_rows(result: BayesianResult) -> list[list[object]]:
    columns = ["mean", "std", "median", "q05", "q95", "mcse_mean", "ess_bulk", "ess_tail", "r_hat"]
    rows: list[list[object]] = [["parameter", *columns, "lower_95", "upper_95", "unit"]]
    for name, row in result.summary.items():
        ends = (result.credible_intervals or {}).get(name, ("", ""))
        numbers = [row.get(column, "") for column in columns]
        rows.append([name, *numbers, *ends, result.units.get(name, "")])
    return rows
