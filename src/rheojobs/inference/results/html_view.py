"""Results as tables, for reports and notebooks: parameters with their uncertainties."""

from __future__ import annotations

import math
from html import escape

from rheojobs.inference.data.units import shown_unit
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_report import remark
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.markup import html_table, html_warnings

__all__ = ["draws_table", "fit_html", "fit_table", "posterior_html"]

type Table = tuple[list[str], list[list[str]]]


def fit_html(fit: FitResult) -> str:
    """Return a fit for a notebook: warnings first, then the estimates."""
    quality = f"R² = {fit.r_squared:.6g}, reduced χ² = {fit.reduced_chi_squared:.4g}"
    return (
        f"<b>Fit of {escape(fit.model_name)}</b>, {quality}\n"
        f"{html_warnings(fit.concerns)}{html_table(*fit_table(fit))}"
    )


def posterior_html(result: BayesianResult) -> str:
    """Return a posterior for a notebook: warnings first, then mean and interval."""
    told = result.diagnostics
    divergences = int(told.get("divergences", 0))
    return (
        f"<b>Posterior of {escape(result.model_name)}</b>, {result.num_chains} chains of "
        f"{result.num_samples} draws, {divergences} divergences\n"
        f"{html_warnings(result.concerns)}{html_table(*draws_table(result))}"
    )


def fit_table(fit: FitResult) -> Table:
    """Return the head and the rows of a fit: estimates, standard errors, intervals, units."""
    head = ["parameter", "estimate", "standard error", "unit"]
    if fit.intervals:
        head.insert(3, "95 % interval")
    rows: list[list[str]] = []
    for name, value in fit.parameters.items():
        error = "–" if name in fit.fixed else _number(fit.uncertainties.get(name, math.nan), 3)
        row = [name, _number(value), error, shown_unit(fit.units.get(name, ""))]
        if fit.intervals:
            row.insert(3, _ends(fit.intervals.get(name)))
        rows.append([*row, remark(fit, name)])
    return [*head, ""], rows


def draws_table(result: BayesianResult) -> Table:
    """Return the head and the rows of a posterior: moments, intervals, R-hat, ESS, units."""
    head = ["parameter", "mean", "std", "95 % interval", "R-hat", "ESS bulk", "ESS tail", "unit"]
    intervals = result.credible_intervals or {}
    rows = [
        [
            name,
            _number(row["mean"]),
            _number(row["std"], 3),
            _ends(intervals.get(name)),
            _number(row["r_hat"], 4),
            _number(row["ess_bulk"], 4),
            _number(row["ess_tail"], 4),
            shown_unit(result.units.get(name, "")),
        ]
        for name, row in result.summary.items()
    ]
    return head, rows


def _ends(ends: tuple[float, float] | None) -> str:
    return "–" if ends is None else f"{_number(ends[0], 4)} … {_number(ends[1], 4)}"


def _number(value: float, digits: int = 6) -> str:
    if math.isfinite(value):
        return f"{value:.{digits}g}".replace("-", "−")
    return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
