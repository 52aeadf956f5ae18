"""The command `compare`: from a file to a ranking of models.

Results are written before they are shown, so that a closed terminal loses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli import listing, report, session
from rheojobs.cli.arguments.declared import settings
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.request import Request
from rheojobs.cli.statuses import FAILED
from rheojobs.cli.terminal.live_table import LiveRow, LiveTable, follow, progress_words
from rheojobs.cli.terminal.numbers import plural
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.inference.comparison.candidates import Candidate
    from rheojobs.inference.comparison.ranking import ComparedModel, Comparison

__all__ = ["parse_models", "run_compare"]

NEGLIGIBLE = 10.0
"""The Δ above which a model has essentially no support (Burnham & Anderson 2002, ch. 2)."""


def parse_models(text: str | None) -> list[tuple[str, dict[str, Any]]] | None:
    """Read ``--models A,B:n_modes=6,C``; None if it is not given."""
    if text is None:
        return None
    from rheojobs.inference.models.own.reference import split_names, split_settings

    models = []
    for item in split_names(text):
        name, given = split_settings(item)
        if not name:
            raise InputError(f"--models takes names with commas between them; got {text!r}")
        models.append((name, settings(given, f"--models {name}:")))
    return models


def run_compare(
    request: Request,
    models: Sequence[tuple[str, dict[str, Any]]] | None,
    outputs: Outputs,
    cluster: str | None = None,
    device: str | None = None,
    **comparing: Any,
) -> int:
    """Fit, rank, save and show; return the exit status.

    Parameters
    ----------
    request : Request
        The file, how it is read, and the options of all fits.
    models : sequence of (str, dict), optional
        Names with settings; all that describe the test mode by default.
    outputs : Outputs
        Where the results go.
    cluster : str, optional
        The address of a Dask scheduler.
    device : str, optional
        The devices that the workers here take in turn, with commas between them.
    **comparing
        As in `CompareOptions`.
    """
    from rheojobs.inference.comparison.run import ComparisonRun, available_workers
    from rheojobs.inference.readiness.warm_up import PRELOAD

    dataset = request.read()
    listing.load(outputs.talk)
    engine = session.start(PRELOAD, available_workers(), cluster, device)
    try:
        run = ComparisonRun(engine, dataset, models, options=request.fit_options, **comparing)
        report.show_data(outputs.talk, run.dataset)
        for note in run.notes:
            outputs.talk.print(Padding(Text(f"· {note}", style="dim"), (0, 0, 0, 2), expand=False))
        tried = [one for one in run.candidates if one.state != "unsuitable"]
        display = LiveTable(outputs.talk, f"fits of {plural(len(tried), 'model')}")
        stopped = follow(run, display, lambda: _rows(tried))
        comparison = run.result()
    finally:
        engine.shutdown(timeout=3.0)
    outputs.write_json(comparison)
    if outputs.plot is not None and comparison.models:
        _draw(comparison, outputs.plot)
        outputs.wrote(outputs.plot)
    show_comparison(outputs.tables, comparison)
    report.show_concerns(outputs.alerts, concerns(comparison))
    if stopped:
        outputs.alerts.print(f"stopped; kept {plural(len(comparison.models), 'fit')}")
        return stopped
    if not comparison.models:
        return FAILED
    best = comparison.best
    return outputs.status_of(
        f"the best model, {best.label}: {best.fit.doubt}" if best.fit.doubt else ""
    )


def _draw(comparison: Comparison, path: Path) -> None:
    from rheojobs.inference.comparison.figure import comparison_figure

    comparison_figure(comparison).savefig(path)


def _rows(candidates: Sequence[Candidate]) -> list[LiveRow]:
    """Return the rows of the live table; of those that are done, the best fits first."""
    return [_row(one) for one in sorted(candidates, key=_place)]


def _place(one: Candidate) -> float:
    return one.fitted.fit.aicc if one.fitted is not None else math.inf


def _row(one: Candidate) -> LiveRow:
    if one.attempt is not None:
        running = one.attempt.job.running()
        words = progress_words(one.attempt.progress)
        return LiveRow(one.label, "running" if running else "waiting", words, one.attempt.seconds)
    if one.state == "stopped":
        return LiveRow(one.label, "waiting")
    if one.fitted is None:
        return LiveRow(one.label, "failed", one.reason)
    fit = one.fitted.fit
    words = f"AICc {fit.aicc:.1f}"
    words += "" if fit.success else ", not converged"
    words += f", elpd {one.scored.loo.elpd:.1f}" if one.scored is not None else ""
    words += f", not sampled: {one.reason}" if one.reason else ""
    return LiveRow(one.label, "done", words, fit.fit_time)


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Print the ranking, then the models that are not in it."""
    if comparison.models:
        table = _table(comparison)
        for row in comparison.models:
            table.add_row(*_cells(row, comparison), style=_style(row, comparison))
        console.print(Padding(table, (1, 0, 1, 0), expand=False))
        logarithms = "R² of the logarithms; " if comparison.weights == "relative" else ""
        console.print(Text(f"{logarithms}k: free parameters, the noise not counted", style="dim"))
        if any(row.evidence is not None for row in comparison.models):
            _show_evidence(console, comparison)
        for note in comparison.notes[1:]:  # the first was printed before the fits
            console.print(Text(note, style="dim"))
    if comparison.left_out:
        console.print(f"\n{plural(len(comparison.left_out), 'model')} not ranked:", style="bold")
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for one in sorted(comparison.left_out, key=lambda one: one.kind):
            if one.kind != "stopped":
                grid.add_row(Text(one.label), Text(one.reason, style="dim"))
        console.print(grid)
        stopped = [one.label for one in comparison.left_out if one.kind == "stopped"]
        if stopped:
            console.print(Text(f"not done yet: {', '.join(stopped)}", style="dim"))


def _table(comparison: Comparison) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), highlight=False
    )
    table.add_column("model", no_wrap=True)
    if comparison.by_loo:
        for head in ("elpd ± se", "Δelpd ± se", "stacking\nweight", "p"):
            table.add_column(head, justify="right", no_wrap=True)
    for head in ("AICc", "Δ", "weight", "R²", "k"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("")
    return table


def _cells(row: ComparedModel, comparison: Comparison) -> list[str]:
    cells = [row.label]
    if comparison.by_loo:
        cells += _loo_cells(row)
    aicc = f"{row.fit.aicc:.1f}" if math.isfinite(row.fit.aicc) else "∞"
    cells += [aicc, f"{row.delta:.1f}" if math.isfinite(row.delta) else "–"]
    cells += [_weight(row.weight), f"{row.r_squared:.5g}", str(row.free)]
    numbers = [cell.replace("-", "−") for cell in cells[1:]]
    return [cells[0], *numbers, _remark(row)]


def _loo_cells(row: ComparedModel) -> list[str]:
    loo = row.loo
    if loo is None:
        return ["–"] * 4
    apart = f"{loo.difference:.1f} ± {loo.difference_se:.1f}" if loo.difference else "0"
    return [f"{loo.elpd:.1f} ± {loo.se:.1f}", apart, _weight(loo.weight), f"{loo.p:.1f}"]


def _show_evidence(console: Console, comparison: Comparison) -> None:
    """Print the evidence of the models that were sampled, most probable first."""
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), highlight=False
    )
    table.add_column("model", no_wrap=True)
    for head in ("log evidence ± se", "probability", "by importance sampling", "k̂"):
        table.add_column(head, justify="right", no_wrap=True)
    known = [row for row in comparison.models if row.evidence is not None]
    for row in sorted(known, key=lambda row: -row.probability if row.probability >= 0 else 1.0):
        table.add_row(*_evidence_cells(row))
    console.print(Padding(table, (1, 0, 1, 0), expand=False))
    words = (
        "log evidence: natural, by bridge sampling; probability: if these models are equally "
        "probable before the data. Both depend on the priors: the wider, the lower the evidence"
    )
    console.print(Text(words, style="dim"))


def _evidence_cells(row: ComparedModel) -> list[str]:
    evidence = row.evidence
    assert evidence is not None

    def estimate(log: float, error: float) -> str:
        return f"{log:.2f} ± {error:.2f}" if math.isfinite(log) else "–"

    other = estimate(evidence.importance, evidence.importance_error)
    cells = [
        row.label,
        estimate(evidence.log, evidence.error),
        _weight(row.probability),
        other if evidence.importance_is_reliable else "–",
        f"{evidence.importance_k:.2f}" if math.isfinite(evidence.importance_k) else "∞",
    ]
    return [cell.replace("-", "−") if number else cell for number, cell in enumerate(cells)]


def _weight(weight: float) -> str:
    if not math.isfinite(weight):
        return "–"
    return f"{weight:.3f}" if weight >= 5e-4 else "0" if weight == 0 else "< 0.001"


def _remark(row: ComparedModel) -> str:
    remarks = []
    if row.same_as:
        remarks.append(f"as {row.same_as}")
    if row.fit.fixed:
        remarks.append(f"{', '.join(row.fit.fixed)} fixed")
    remarks += [f"{name} = {text}" for name, text in row.fit.tied.items()]
    if not row.fit.success:
        remarks.append("not converged")
    if row.loo is not None and row.loo.bad_k:
        remarks.append(f"Pareto k > {row.loo.good_k:.2g}: {row.loo.bad_k}")
    return ", ".join(remarks)


def _style(row: ComparedModel, comparison: Comparison) -> str:
    if row is comparison.models[0]:
        return "bold"
    return "dim" if not row.loo and not row.delta < NEGLIGIBLE else ""


def concerns(comparison: Comparison) -> list[str]:
    """Return warnings that say why a ranking should not be trusted."""
    found = []
    if comparison.models:
        best = comparison.best
        if not best.fit.success:
            found.append(f"the best fit, {best.label}, did not converge: give --multi-start")
        if best.fit.misfit:
            found.append(
                f"the best model, {best.label}, does not fit the data either: {best.fit.misfit}"
            )
    for row in comparison.models:
        about_model = f"{row.fit.model_name} in {row.fit.test_mode}: "
        found += [text for text in row.fit.warnings if text.startswith(about_model)]
        if row.loo is not None and row.loo.bad_k:
            found.append(
                f"{row.label}: {plural(row.loo.bad_k, 'value')} with a Pareto k above "
                f"{row.loo.good_k:.2g} (the worst {row.loo.worst_k:.2f}): its elpd is not reliable"
            )
        if row.evidence is not None and row.evidence.reason:
            found.append(f"{row.label}: {row.evidence.reason}")
        found += [f"{row.label}: {words}" for words in row.posterior_warnings]
    return found
