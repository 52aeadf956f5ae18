"""The command `batch`: run the missing fits of many files and models, and write one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from rheojobs.cli import listing, session
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.statuses import FAILED
from rheojobs.cli.terminal.live_table import LiveRow, LiveTable, follow, progress_words
from rheojobs.cli.terminal.numbers import plural
from rheojobs.errors import InputError, one_line
from rheojobs.inference.batch.results_table import doubt_of, rows_of, write_csv, write_parquet
from rheojobs.inference.results.json_format import plain

if TYPE_CHECKING:
    from rheojobs.cli.request import Request
    from rheojobs.inference.batch.plan import BatchPlan
    from rheojobs.inference.batch.run import BatchEntry, BatchRun

__all__ = ["plan_of", "run_batch"]

PLAN_SUFFIXES = (".yaml", ".yml")

_OF_THE_PROBLEM = {"test_mode", "protocol", "model_config"}
"""Options of a fit that are not in the section `fit` of a plan."""


def plan_of(
    sources: Sequence[str], request: Request, out: Path | None, outputs: Outputs
) -> BatchPlan:
    """Read the plan that the command was given, or make one of its files."""
    if _is_plan(sources):
        return _read_plan(sources[0], request, out, outputs)
    return _plan_of_files(sources, request, out, outputs)


def _is_plan(sources: Sequence[str]) -> bool:
    """Return whether the command was given a plan instead of files; refuse both at once."""
    plans = [source for source in sources if Path(source).suffix.lower() in PLAN_SUFFIXES]
    if plans and len(sources) > 1:
        raise InputError(f"give one plan or files, not both: {plans[0]} is one of several")
    return bool(plans)


def _read_plan(source: str, request: Request, out: Path | None, outputs: Outputs) -> BatchPlan:
    """Read a plan; refuse options that belong in it."""
    from rheojobs.cli.request import Request
    from rheojobs.inference.batch.plan import BatchPlan

    if request != Request(request.file, ""):
        raise InputError(
            f"a plan holds the model and all options: {source} is a plan, so only --out may be "
            "given"
        )
    listing.load(outputs.talk)
    return BatchPlan.read(Path(source), out)


def _plan_of_files(
    sources: Sequence[str], request: Request, out: Path | None, outputs: Outputs
) -> BatchPlan:
    """Make the plan of one model on all files that match."""
    from rheojobs.inference.batch.plan import BatchPlan

    if not request.model:
        raise InputError("--model is missing: rheojobs batch *.csv --model NAME, or a PLAN.yaml")
    listing.load(outputs.talk)
    fit = {key: value for key, value in request.fitting.items() if key not in _OF_THE_PROBLEM}
    config = request.config
    return BatchPlan.of_files(sources, request.model, request.reading, fit, config, out)


def run_batch(
    plan: BatchPlan,
    outputs: Outputs,
    again: str,
    cluster: str | None = None,
    elsewhere: bool = False,
    device: str | None = None,
) -> int:
    """Run what is missing, write the table, print the outcome; return the exit status.

    Parameters
    ----------
    plan : BatchPlan
        What to run.
    outputs : Outputs
        Where messages and results go.
    again : str
        The command that continues if this one is stopped.
    cluster : str, optional
        The address of a Dask scheduler, whose workers run the jobs.
    elsewhere : bool
        Whether to restart jobs recorded as running on another cluster.
    device : str, optional
        The devices that the workers here take in turn, with commas between them.
    """
    from rheojobs.inference.batch.run import BatchRun
    from rheojobs.inference.comparison.run import available_workers
    from rheojobs.inference.readiness.warm_up import PRELOAD

    try:
        plan.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {plan.out} cannot be made: {error.strerror}") from error
    engine = session.start(PRELOAD, min(available_workers(), len(plan.items)), cluster, device)
    try:
        run = BatchRun(engine, plan, elsewhere)
        title = f"batch of {plural(len(plan.items), 'fit')}"
        stopped = follow(run, LiveTable(outputs.talk, title), lambda: _rows(run))
    finally:
        engine.shutdown(timeout=3.0)
    _write_tables(plan, run.entries, outputs)
    _show(run.entries, outputs)
    if stopped:
        outputs.alerts.print(f"stopped; continue with: {again}", soft_wrap=True, markup=False)
        return stopped
    if any(entry.state == "failed" for entry in run.entries):
        return FAILED
    doubtful = sum(bool(doubt_of(entry)) for entry in run.entries)
    return outputs.status_of(f"{plural(doubtful, 'doubtful fit')}" if doubtful else "")


def _rows(run: BatchRun) -> list[LiveRow]:
    """Return the rows of the live table: failures first, then doubtful ones, then the last."""
    rows = [_row(entry) for entry in reversed(run.entries) if not entry.was_skipped]
    first = {"failed": 0, "doubtful": 1}
    return sorted(rows, key=lambda row: first.get(row.kind, 2))


def _row(entry: BatchEntry) -> LiveRow:
    label = f"{entry.item.name}, {entry.item.label}"
    if entry.attempt is not None:
        kind = "running" if entry.attempt.job.running() else "waiting"
        return LiveRow(label, kind, progress_words(entry.attempt.progress), entry.attempt.seconds)
    if entry.state == "failed":
        return LiveRow(label, "failed", entry.message)
    if entry.state != "succeeded" or entry.fit is None:
        return LiveRow(label, "waiting")
    words = f"R² {entry.fit.r_squared:.5g}"
    if entry.posterior is not None:
        draws = entry.posterior["num_samples"] * entry.posterior["num_chains"]
        words += f", {plural(draws, 'draw')}"
    doubt = doubt_of(entry)
    return LiveRow(label, "doubtful" if doubt else "done", f"{words}: {doubt}" if doubt else words)


def _write_tables(plan: BatchPlan, entries: Sequence[BatchEntry], outputs: Outputs) -> None:
    rows = rows_of(entries)
    outputs.write_plain(plain(rows))
    write_csv(rows, plan.out / "results.csv")
    outputs.wrote(plan.out / "results.csv")
    try:
        has_parquet = write_parquet(rows, plan.out / "results.parquet")
    except (ImportError, OSError) as error:
        outputs.talk.print(f"no results.parquet: {one_line(error)}", markup=False)
        return
    if has_parquet:
        outputs.wrote(plan.out / "results.parquet")
    else:
        words = 'no results.parquet: it needs pyarrow: pip install "rheojobs[parquet]"'
        outputs.talk.print(words, style="dim", markup=False)


def _show(entries: Sequence[BatchEntry], outputs: Outputs) -> None:
    """Print how many fits were done, and name each that failed or is doubtful."""
    skipped = sum(entry.was_skipped for entry in entries)
    doubtful = [entry for entry in entries if doubt_of(entry)]
    done = sum(entry.state == "succeeded" for entry in entries) - skipped
    done -= sum(not entry.was_skipped for entry in doubtful)
    failed = [entry for entry in entries if entry.state == "failed"]
    stopped = sum(entry.state == "stopped" for entry in entries)
    parts = [f"{done} done", f"{skipped} skipped (nothing has changed)", f"{len(failed)} failed"]
    parts += [f"{stopped} not done"] if stopped else []
    parts += [f"{len(doubtful)} doubtful"] if doubtful else []
    outputs.tables.print(", ".join(parts))
    if not (failed or doubtful):
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for entry in failed:
        grid.add_row(Text(entry.item.name), Text(entry.item.label), Text(entry.message))
    for entry in doubtful:
        grid.add_row(Text(entry.item.name), Text(entry.item.label), Text(doubt_of(entry)))
    outputs.tables.print(grid)
