"""The commands `rheojobs jobs …`: what the store knows, and what is wanted of who works on it.

Speaks with the store, also of jobs that another process runs; only `resume` starts an engine.
"""

from __future__ import annotations

import json as writer
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli.options import JsonOption, PlotOption, PosteriorOption
from rheojobs.cli.outputs import Outputs
from rheojobs.errors import InputError, nearest

if TYPE_CHECKING:
    from rheojobs.engine.store import JobStore, StoredJob

__all__ = ["app"]

RECENT = 20
"""How many of the jobs that have ended are listed where not all are asked for."""

ID_LENGTH = 8
_COLOURS = {
    "running": "cyan",
    "paused": "yellow",
    "cancelling": "yellow",
    "interrupted": "yellow",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "dim",
}

app = typer.Typer(
    help="List and steer the jobs of this computer, also those of a window that is open.",
    invoke_without_command=True,
)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The job's id, or its first characters.")
]


@app.callback()
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def _open() -> JobStore:
    from rheojobs.engine.store import JobStore

    store = JobStore()
    store.recover()  # what a killed application left behind is told as such
    return store


@app.command("list")
def list_jobs(
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only those in this state."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", metavar="", help="Also those that ended long ago.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print them as JSON.")] = False,
) -> int:
    """List the jobs, the newest last: all that have not ended, and the last of those that have."""
    from rheojobs.engine.states import JobState

    wanted = [_state(text) for text in states or JobState]
    with _open() as store:
        ended = [state for state in wanted if state.is_terminal]
        open_ones = [state for state in wanted if not state.is_terminal]
        jobs = store.jobs(open_ones) + store.jobs(ended, limit=None if every else RECENT)
        counts = store.counts()
    jobs.sort(key=lambda job: job.number)
    if json:
        print(writer.dumps([_as_dict(job) for job in jobs], indent=2))
        return 0
    outputs = Outputs()
    left_out = sum(counts.get(state, 0) for state in wanted) - len(jobs)
    _show_list(outputs.tables, jobs)
    if left_out:
        outputs.talk.print(f"and {left_out:,} that ended before: --all", style="dim")
    return 0


@app.command()
def show(
    job_id: IdArgument,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print it as JSON.")] = False,
) -> int:
    """Show all that is known of a job, its result included."""
    with _open() as store:
        job = store.find(job_id)
        history = store.history(job.id)
        error = store.result(job.id, "error")
        value, lost = _result(store, job)
    if json:
        fields = _as_dict(job) | {
            "history": [[_iso(when), state, message] for when, state, message in history],
            "result": _plain(value),
            "traceback": (error or {}).get("traceback", ""),
        }
        print(writer.dumps(fields, indent=2, ensure_ascii=False))
        return 0
    outputs = Outputs()
    _show_facts(outputs.tables, job, history)
    if lost:
        outputs.talk.print(f"the result cannot be shown: {lost}", style="yellow")
    elif value is not None:
        _show_result(outputs.tables, value)
    return 0


@app.command()
def cancel(job_id: IdArgument) -> int:
    """Stop a job, wherever it runs or waits; it keeps what it has so far."""
    return _ask(job_id, "cancel", "cancelled")


@app.command()
def pause(job_id: IdArgument) -> int:
    """Let a running job hold still at its next check point."""
    return _ask(job_id, "pause", "paused")


@app.command()
def resume(
    job_id: IdArgument,
    out: PosteriorOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
) -> int:
    """Let a paused job go on; take up here one that lost its application or was cancelled."""
    from rheojobs.cli.resuming import run_job

    with _open() as store:
        job = store.find(job_id)
        if job.owner is not None:
            store.ask(job.id, "resume")
            _say(f"asked process {job.pid} to go on with {job.name} ({job.id[:ID_LENGTH]})")
            return 0
    return run_job(job, Outputs(json, plot, out))


@app.command()
def remove(job_id: IdArgument) -> int:
    """Remove a job that has ended, with its result."""
    with _open() as store:
        job = store.find(job_id)
        store.remove(job.id)
    _say(f"removed {job.name} ({job.id[:ID_LENGTH]})")
    return 0


def _ask(job_id: str, wish: str, done: str) -> int:
    with _open() as store:
        job = store.find(job_id)
        is_done = store.ask(job.id, wish)
    label = f"{job.name} ({job.id[:ID_LENGTH]})"
    _say(f"{done} {label}" if is_done else f"asked process {job.pid} to {wish} {label}")
    return 0


def _say(line: str) -> None:
    Outputs().talk.print(line)


def _state(text: str) -> Any:
    from rheojobs.engine.states import JobState

    try:
        return JobState(text.strip().lower())
    except ValueError:
        raise InputError(f"unknown state {text!r}; {nearest(text, map(str, JobState))}") from None


def _result(store: JobStore, job: StoredJob) -> tuple[Any, str]:
    """Give a job's result, or what a stopped one had, and why it cannot be read."""
    try:
        value = store.result(job.id)
        return (store.result(job.id, "partial") if value is None else value), ""
    except (InputError, OSError) as error:
        return None, str(error)


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().isoformat(timespec="milliseconds")


def _as_dict(job: StoredJob) -> dict[str, Any]:
    from dataclasses import asdict

    fields = asdict(job) | {"created": _iso(job.created), "changed": _iso(job.changed)}
    return fields | {"can_be_taken": job.can_be_taken}


def _plain(value: Any) -> Any:
    from rheojobs.engine.records import is_json

    if value is None or is_json(value):
        return value
    if hasattr(value, "as_dict"):
        from rheojobs.inference.results import to_json

        return writer.loads(to_json(value))
    return str(value)


def _ago(when: float) -> str:
    from rheojobs.cli.progress import duration

    seconds = max(0.0, time.time() - when)
    if seconds < 86400:
        return f"{duration(round(seconds))} ago"
    return datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M")


def _progress(job: StoredJob) -> str:
    progress = job.progress
    if progress is None or job.state.is_terminal:
        return ""
    if progress.total > 0:
        return f"{progress.stage} {progress.current}/{progress.total}".strip()
    return progress.message


def _remark(job: StoredJob) -> str:
    if job.message:
        return job.message
    if job.wish:
        return f"asked {'for' if ' ' in job.wish else 'to'} {job.wish}"
    if job.can_be_taken:
        return f"waits for an application: rheojobs jobs resume {job.id[:ID_LENGTH]}"
    return f"in process {job.pid}" if job.pid is not None else ""


def _show_list(console: Console, jobs: Iterable[StoredJob]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for head in ("id", "state", "name", "progress", "changed"):
        table.add_column(head, no_wrap=True)
    table.add_column("remark")
    for job in jobs:
        table.add_row(
            job.id[:ID_LENGTH],
            Text(job.state, style=_COLOURS.get(job.state, "")),
            Text(job.name),
            Text(_progress(job)),
            _ago(job.changed),
            Text(_remark(job)),
        )
    console.print(table if table.row_count else "no jobs")


def _show_facts(
    console: Console, job: StoredJob, history: Iterable[tuple[float, str, str]]
) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    rows = {
        "job": f"{job.name} ({job.id})",
        "state": f"{job.state}{': ' if job.message else ''}{job.message}",
        "progress": _progress(job),
        "works on it": "" if job.pid is None else f"process {job.pid}",
        "needs": ", ".join(other[:ID_LENGTH] for other in job.after),
        "started": f"{job.attempts} times" if job.attempts > 1 else "",
        "task": job.kind,
        "cannot be run again": job.obstacle,
    }
    for head, words in rows.items():
        if words:
            facts.add_row(head, Text(words))
    for number, (when, state, message) in enumerate(history):
        moment = datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M:%S")
        facts.add_row("history" if not number else "", Text(f"{moment}  {state}  {message}"))
    console.print(facts)


def _show_result(console: Console, value: Any) -> None:
    from rheojobs.engine.records import is_json

    if is_json(value):
        console.print(Padding(Text(f"result  {writer.dumps(value)}"), (1, 0, 0, 0)))
        return
    from rheojobs.cli import report
    from rheojobs.inference.results import BayesianResult, FitResult

    if isinstance(value, FitResult):
        report.show_fit(console, value)
    elif isinstance(value, BayesianResult):
        report.show_posterior(console, value)
    else:
        console.print(Text(str(value)))
