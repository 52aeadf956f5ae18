"""Tabulate the results of a batch: a row for each model on each file.

Each parameter has its columns, with the unit in the header: parameters of one name with different
units have separate columns. A cell is empty if the model lacks the parameter.
"""

from __future__ import annotations

import csv
import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rheojobs.inference.data.conditions import CONDITIONS, conditions_of_name
from rheojobs.inference.data.units import shown_unit
from rheojobs.inference.results.concerns import doubt
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.whole_files import write_whole

__all__ = [
    "Row",
    "TableEntry",
    "condition_title",
    "doubt_of",
    "rows_of",
    "warnings_of",
    "write_csv",
    "write_parquet",
]

Row = dict[str, Any]

FIRST = (
    *("file", "model", "state", "message", "test_mode", "converged", "r_squared", "aicc", "bic"),
    *("reduced_chi_squared", "weights", "iterations", "warnings"),
)
_CONDITION = "condition "

LAST = ("divergences", "max_r_hat", "min_ess_bulk", "min_ess_tail", "draws")


class TableItem(Protocol):
    """What is fitted: the name of the file, and the model with its settings."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...


class TableEntry(Protocol):
    """The outcome of one model on one file, as `BatchEntry` has it."""

    @property
    def item(self) -> TableItem: ...
    @property
    def state(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def fit(self) -> FitResult | None: ...
    @property
    def posterior(self) -> dict[str, Any] | None: ...


def rows_of(
    entries: Sequence[TableEntry], conditions: Sequence[Mapping[str, float]] | None = None
) -> list[Row]:
    """Return a row for each entry, all with the same columns in the same order.

    Parameters
    ----------
    entries : sequence of TableEntry
        The outcomes.
    conditions : sequence of mapping, optional
        Temperature, concentration and others of each entry; by default what the names of their
        files say.
    """
    if conditions is None:
        conditions = [conditions_of_name(Path(entry.item.name).stem)[0] for entry in entries]
    rows = [_row(entry, given) for entry, given in zip(entries, conditions, strict=True)]
    parameters = list(dict.fromkeys(key for row in rows for key in row if key not in FIRST + LAST))
    parameters.sort(key=lambda key: not key.startswith(_CONDITION))  # stable: before the others
    sampled = any(key in row for row in rows for key in LAST)
    columns = [*FIRST, *parameters, *(LAST if sampled else ())]
    return [{column: row.get(column) for column in columns} for row in rows]


def condition_title(name: str) -> str:
    """Return the title of a condition's column: ``condition T [K]``."""
    return f"{_CONDITION}{name}{_unit(CONDITIONS.get(name, ('', ''))[1])}"


def _row(entry: TableEntry, conditions: Mapping[str, float]) -> Row:
    row: Row = {
        "file": entry.item.name,
        "model": entry.item.label,
        "state": entry.state,
        "message": entry.message,
    }
    row |= {condition_title(name): value for name, value in conditions.items()}
    fit = entry.fit
    if fit is not None:
        row |= {
            "test_mode": fit.test_mode,
            "converged": fit.success,
            "r_squared": fit.r_squared,
            "aicc": fit.aicc,
            "bic": fit.bic,
            "reduced_chi_squared": fit.reduced_chi_squared,
            "weights": fit.weights,
            "iterations": fit.n_iterations,
            "warnings": "; ".join(warnings_of(entry)),
        }
        for name, value in fit.parameters.items():
            unit = _unit(fit.units.get(name, ""))
            row[f"{name}{unit}"] = value
            row[f"{name} error{unit}"] = fit.uncertainties.get(name)
    if entry.posterior is not None:
        row |= _posterior(entry.posterior)
    return row


def doubt_of(entry: TableEntry) -> str:
    """Return why a finished result should not be used as it is; empty if it may be."""
    fit = entry.fit
    if entry.state != "succeeded" or fit is None:
        return ""
    if not fit.r_squared > 0:  # NaN included
        return f"R² is {fit.r_squared:.3g}: no better than a constant"
    if fit.doubt or entry.posterior is None:
        return fit.doubt
    return doubt(entry.posterior["diagnostics"])


def warnings_of(entry: TableEntry) -> list[str]:
    """Return the warnings on the fit and on the draws of an entry; a doubt comes first."""
    found = list(entry.fit.warnings) if entry.fit is not None else []
    if entry.posterior is not None:
        found += map(str, entry.posterior["diagnostics"].get("warnings", ()))
    words = doubt_of(entry)
    is_new = words and not any(words in warning for warning in found)
    return [words, *found] if is_new else found


def _posterior(posterior: dict[str, Any]) -> Row:
    row: Row = {}
    intervals = posterior.get("credible_intervals") or {}
    units = posterior.get("units") or {}
    for name, summary in posterior["summary"].items():
        unit = _unit(units.get(name, ""))
        low, high = intervals.get(name) or (None, None)
        row |= {
            f"{name} mean{unit}": summary["mean"],
            f"{name} std{unit}": summary["std"],
            f"{name} 95% low{unit}": low,
            f"{name} 95% high{unit}": high,
        }
    summaries = list(posterior["summary"].values())
    return row | {
        "divergences": posterior["diagnostics"]["divergences"],
        "max_r_hat": _extreme(max, (summary["r_hat"] for summary in summaries)),
        "min_ess_bulk": _extreme(min, (summary["ess_bulk"] for summary in summaries)),
        "min_ess_tail": _extreme(min, (summary["ess_tail"] for summary in summaries)),
        "draws": posterior["num_samples"] * posterior["num_chains"],
    }


def _extreme(choose: Any, values: Any) -> float | None:
    """Return the worst of some diagnostics; None if one of them is not known."""
    found = list(values)
    if not found or any(value is None or _is_nan(value) for value in found):
        return None
    return choose(found)  # type: ignore[no-any-return]


def _unit(unit: str) -> str:
    shown = shown_unit(unit)
    return f" [{shown}]" if shown else ""


def write_csv(rows: Sequence[Row], path: Path, delimiter: str = ",") -> None:
    """Write the table as CSV, or with tabs, UTF-8; missing values are empty."""

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(
                {key: "" if _is_nan(value) else value for key, value in row.items()} for row in rows
            )

    write_whole(path, write)


def write_parquet(rows: Sequence[Row], path: Path) -> bool:
    """Write the table as Parquet; return False if pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        return False
    import pyarrow
    from pyarrow import parquet

    columns = {}
    for name in rows[0]:
        values = [None if _is_nan(row[name]) else row[name] for row in rows]
        # A column of numbers stays a float column if all its values are missing, or integers.
        kind = None if any(isinstance(value, str | bool) for value in values) else pyarrow.float64()
        if name in ("file", "model", "state", "message", "test_mode", "weights", "warnings"):
            kind = pyarrow.string()
        elif name == "converged":
            kind = pyarrow.bool_()
        columns[name] = pyarrow.array(values, type=kind)
    write_whole(path, lambda temporary: parquet.write_table(pyarrow.table(columns), temporary))
    return True


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
