"""Data and results as a person reads them in a terminal: what was understood, tables, concerns.

Knows results and rich; must not know jobs, files or JAX.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli.numbers import interval, measured, number, plural
from rheojobs.cli.progress import duration

if TYPE_CHECKING:
    from rheojobs.inference.data import Dataset
    from rheojobs.inference.results import BayesianResult, FitResult

__all__ = [
    "fit_concerns",
    "sampling_concerns",
    "show_concerns",
    "show_data",
    "show_fit",
    "show_posterior",
]

NOISE_RATIO = 3.0
"""A posterior whose noise is that many times the fit's residuals has lost the data."""

MAX_R_HAT = 1.01
POOR_R_SQUARED = 0.9


def show_data(console: Console, dataset: Dataset) -> None:
    """Say what was understood of a file."""
    console.print(Text.assemble((dataset.name or "data", "bold"), f": {dataset.summary()}"))
    for note in dataset.notes:
        console.print(Padding(Text(f"· {note}", style="dim"), (0, 0, 0, 2), expand=False))


def _table() -> Table:
    # Narrow gaps: the widest table fits the 80 columns of a plain terminal.
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0, 0, 1))


def _unit(units: Mapping[str, str], name: str) -> str:
    unit = units.get(name, "")
    return "" if unit in ("dimensionless", "-") else unit


def show_fit(console: Console, fit: FitResult, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Print a fit: the parameters, then how good it is.

    Parameters
    ----------
    console : Console
        Where to.
    fit : FitResult
        The result.
    bounds : mapping
        Of the parameters, as far as they are known.
    """
    table = _table()
    table.add_column("parameter", no_wrap=True)
    table.add_column("estimate ± uncertainty", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    remarks = {name: _remark(fit, name, bounds.get(name)) for name in fit.parameters}
    if any(remarks.values()):
        table.add_column("")
    for name, value in fit.parameters.items():
        error = fit.uncertainties.get(name, math.nan)
        row = [name, measured(value, error), _unit(fit.units, name)]
        if any(remarks.values()):
            row.append(f"[yellow]{remarks[name]}[/]")
        table.add_row(*row)
    console.print(Padding(table, (1, 0, 1, 0), expand=False))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    relative = fit.weights == "relative"
    facts.add_row("R²", f"{fit.r_squared:.6g}" + (" (of the logarithms)" if relative else ""))
    typical = ""
    if relative and fit.reduced_chi_squared > 0:
        typical = f" (typical deviation {100 * math.sqrt(fit.reduced_chi_squared):.2g} %)"
    facts.add_row("reduced χ²", f"{number(fit.reduced_chi_squared)}{typical}")
    facts.add_row("AIC, BIC", f"{fit.aic:.1f}, {fit.bic:.1f}")
    weights = "relative: each residual by its own value" if relative else "uniform"
    facts.add_row("weights", weights)
    facts.add_row("iterations", f"{fit.n_iterations} in {duration(fit.fit_time)}")
    facts.add_row("ended with", fit.message or ("converged" if fit.success else "no convergence"))
    console.print(facts)


def _remark(fit: FitResult, name: str, limits: tuple[float, float] | None) -> str:
    value, error = fit.parameters[name], fit.uncertainties.get(name, math.nan)
    if limits is not None:
        for limit, words in zip(limits, ("lower", "upper"), strict=True):
            if abs(value - limit) <= (1e-6 * abs(limit) or 1e-9):
                return f"at its {words} bound"
    if math.isinf(error):
        return "not determined by the data"
    if math.isfinite(error) and error > abs(value) > 0:
        return "hardly determined by the data"
    return ""


def fit_concerns(fit: FitResult) -> list[str]:
    """Say in plain words why a fit should not be trusted."""
    concerns = []
    if not fit.success:
        concerns.append(
            f"the fit did not converge ({fit.message}): give other starts (--init, --multi-start)"
        )
    if fit.r_squared < POOR_R_SQUARED:
        concerns.append(
            f"the curve misses the data (R² = {fit.r_squared:.3g}): start elsewhere (--init, "
            f"--multi-start), or try another model (rheojobs models --mode {fit.test_mode})"
        )
    return concerns


def show_posterior(console: Console, result: BayesianResult) -> None:
    """Print a posterior: the table of parameters, then how it was sampled."""
    table = _table()
    table.add_column("parameter", no_wrap=True)
    table.add_column("mean ± std", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("R-hat", justify="right", no_wrap=True)
    table.add_column("ESS\nbulk/tail", justify="right", no_wrap=True)
    intervals = result.credible_intervals or {}
    for name, row in result.summary.items():
        r_hat = row["r_hat"]
        shown = f"{r_hat:.3f}" if math.isfinite(r_hat) else "–"
        table.add_row(
            name,
            measured(row["mean"], row["std"]),
            _unit(result.units, name),
            interval(*intervals.get(name, (math.nan, math.nan)), row["mean"]),
            f"[yellow]{shown}[/]" if r_hat > MAX_R_HAT else shown,
            f"{_count(row['ess_bulk'])}/{_count(row['ess_tail'])}",
        )
    console.print(Padding(table, (1, 0, 1, 0), expand=False))
    steps = f"{result.num_warmup} warm-up + {result.num_samples} draws"
    divergences = plural(int(result.diagnostics["divergences"]), "divergence")
    console.print(
        f"{plural(result.num_chains, 'chain')} × ({steps}), {divergences}, "
        f"sampled in {duration(result.sampling_time)}"
    )


def _count(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "–"


def sampling_concerns(result: BayesianResult, fit: FitResult | None) -> list[str]:
    """Say in plain words why draws should not be trusted.

    Parameters
    ----------
    result : BayesianResult
        The draws.
    fit : FitResult, optional
        The fit that they started from.
    """
    concerns = [str(warning) for warning in result.diagnostics.get("warnings", ())]
    if fit is not None and fit.residuals is not None:
        for name, part in (("sigma", np.real), ("sigma_real", np.real), ("sigma_imag", np.imag)):
            if name not in result.summary:
                continue
            noise = result.summary[name]["mean"]
            left = float(np.sqrt(np.mean(part(fit.residuals) ** 2)))
            if noise > NOISE_RATIO * left > 0:
                unit = _unit(result.units, name)
                concerns.append(
                    f"the draws describe the data much worse than the fit ({name} = "
                    f"{number(noise, 2)} {unit}, residuals of the fit {number(left, 2)} {unit}): "
                    "the priors have pulled them away; give narrower ones (--prior)"
                )
                break
    return concerns


def show_concerns(console: Console, concerns: Iterable[str]) -> None:
    """Print warnings, one on a line."""
    for concern in concerns:
        console.print(Text.assemble(("warning: ", "bold yellow"), concern))
