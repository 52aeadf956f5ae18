"""Data and results as text for the terminal: what was understood, tables, warnings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli.terminal.numbers import interval, measured, plural
from rheojobs.durations import duration
from rheojobs.inference.data.units import shown_unit
from rheojobs.inference.results.fit_report import facts, remark
from rheojobs.inference.results.thresholds import MAX_R_HAT, MIN_ESS

if TYPE_CHECKING:
    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

__all__ = [
    "fit_concerns",
    "sampling_concerns",
    "show_concerns",
    "show_data",
    "show_fit",
    "show_posterior",
]

MINIMA_SHOWN = 4
CORRELATIONS_SHOWN = 8
"""More would be wider than a terminal; JSON and the Markdown report have them all."""


def show_data(console: Console, dataset: Dataset) -> None:
    """Print what was understood of a file."""
    console.print(Text.assemble((dataset.name or "data", "bold"), f": {dataset.summary()}"))
    for note in dataset.notes:
        console.print(Padding(Text(f"· {note}", style="dim"), (0, 0, 0, 2), expand=False))


def _table() -> Table:
    # Narrow gaps: the widest table fits the 80 columns of a plain terminal.
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0, 0, 1))


def _unit(units: Mapping[str, str], name: str) -> str:
    return shown_unit(units.get(name, ""))


def show_fit(console: Console, fit: FitResult) -> None:
    """Print a fit: the parameters, then how good it is, then correlations."""
    table = _table()
    table.add_column("parameter", no_wrap=True)
    table.add_column("estimate ± uncertainty", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    if fit.intervals:
        table.add_column("95 % interval", justify="right", no_wrap=True)
    remarks = {name: remark(fit, name) for name in fit.parameters}
    if any(remarks.values()):
        table.add_column("")
    for name, value in fit.parameters.items():
        row = [name, measured(value, fit.uncertainties.get(name, math.nan))]
        row.append(_unit(fit.units, name))
        if fit.intervals:
            ends = fit.intervals.get(name)
            row.append("–" if ends is None else interval(*ends, value))
        if any(remarks.values()):
            row.append(f"[yellow]{escape(remarks[name])}[/]")
        table.add_row(*row)
    console.print(Padding(table, (1, 0, 1, 0), expand=False))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for what, words in facts(fit):
        grid.add_row(what, escape(words))
    if len(fit.minima) > 1:
        grid.add_row("minima", _minima(fit))
    console.print(grid)
    _show_correlations(console, fit)


def _minima(fit: FitResult) -> str:
    best, *others = fit.minima
    text = f"{best['starts']} of {sum(item['starts'] for item in fit.minima)} starts end here"
    shown = [f"{item['objective']:.4g} ({item['starts']})" for item in others[:MINIMA_SHOWN]]
    more = f", and {len(others) - MINIMA_SHOWN} more" if len(others) > MINIMA_SHOWN else ""
    return f"{text}; others at {', '.join(shown)}{more}, against {best['objective']:.4g}"


def _show_correlations(console: Console, fit: FitResult) -> None:
    """Print the correlation matrix, if it is small enough to be read."""
    if fit.correlation is None:
        return
    names = list(fit.parameters)
    kept = [k for k in range(len(names)) if math.isfinite(fit.correlation[k, k])]
    if not 2 <= len(kept) <= CORRELATIONS_SHOWN:
        return
    table = _table()
    for head in ("correlation", *(names[k] for k in kept)):
        table.add_column(head, justify="right" if head != "correlation" else "left", no_wrap=True)
    for index, k in enumerate(kept):
        row = [f"{fit.correlation[k, other]:.2f}" for other in kept[: index + 1]]
        table.add_row(names[k], *row)
    console.print(Padding(table, (1, 0, 0, 0), expand=False))


def fit_concerns(fit: FitResult) -> list[str]:
    """Return warnings that say why a fit should not be trusted, and what to do."""
    concerns = fit.concerns
    if not fit.success or fit.misfit:
        concerns.append(
            "start elsewhere (--init, --multi-start), or try another model "
            f"(rheojobs models --mode {fit.test_mode})"
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
    if starts := result.diagnostics.get("starts"):
        console.print(f"chains started {starts['words']}", highlight=False)
    if fixed := result.diagnostics.get("fixed"):
        kept = ", ".join(f"{name} = {value:g}" for name, value in fixed.items())
        console.print(f"fixed: {kept}")
    if result.diagnostics.get("likelihood") == "sigma":
        misfit = result.diagnostics.get("misfit", math.nan)
        typical = f"; residuals are {misfit:.2f} σ" if math.isfinite(misfit) else ""
        console.print(f"noise: known, by the standard deviations σ of the data{typical}")


def _count(value: float) -> str:
    shown = f"{value:.0f}" if math.isfinite(value) else "–"
    return shown if value >= MIN_ESS else f"[yellow]{shown}[/]"


def sampling_concerns(result: BayesianResult) -> list[str]:
    """Return warnings that say why draws should not be trusted."""
    return [str(warning) for warning in result.diagnostics.get("warnings", ())]


def show_concerns(console: Console, concerns: Iterable[str]) -> None:
    """Print warnings, one per line."""
    for concern in concerns:
        console.print(Text.assemble(("warning: ", "bold yellow"), concern))
