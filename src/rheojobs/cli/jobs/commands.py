"""The commands `rheojobs jobs …`: list, show and control the jobs of the store.

Only `resume` and `retry` start an engine; requests to other processes go through the store.
"""

from __future__ import annotations

import json as writer
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli.encoding import print_json
from rheojobs.cli.jobs import job_list
from rheojobs.cli.options import (
    ClusterOption,
    ElsewhereOption,
    JsonOption,
    PlotOption,
    PosteriorOption,
)
from rheojobs.cli.outputs import Outputs
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.engine.job_control import JobControl
    from rheojobs.engine.store import StoredJob, StoreReader

__all__ = ["app"]

app = typer.Typer(
    help="List and control the jobs of this computer, including those of an open window.",
    invoke_without_command=True,
)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The job's id, or a unique prefix of it.")
]


def _option(option: job_list.ListOption) -> Any:
    """Return an option of `jobs list` as typer takes it."""
    return typer.Option(option.flag, metavar=option.metavar, help=option.help)


@app.callback()
def _start(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command("list")
def list_jobs(
    states: Annotated[list[str] | None, _option(job_list.STATE)] = None,
    every: Annotated[bool, _option(job_list.ALL)] = False,
    json: Annotated[bool, _option(job_list.JSON)] = False,
) -> int:
    """List the jobs, newest last: all that have not ended, and the last that have ended."""
    return job_list.list_jobs(states or (), every, json)


@app.command()
def show(
    job_id: IdArgument,
    json: Annotated[bool, typer.Option("--json", metavar="", help="Print it as JSON.")] = False,
) -> int:
    """Show all details of a job, including its result."""
    with job_list.open_to_read() as store:
        job = store.find(job_id)
        history = store.history(job.id)
        error = store.error(job.id)
        may_go_on = store.may_go_on(job)
        value, lost = _result(store, job)
    if json:
        fields = job_list.as_dict(job) | {
            "may_go_on": may_go_on,
            "history": [[job_list.iso(when), state, message] for when, state, message in history],
            "result": _plain(value),
            "traceback": error.get("traceback", ""),
        }
        print_json(writer.dumps(fields, indent=2, ensure_ascii=False))
        return 0
    outputs = Outputs()
    _show_facts(outputs.tables, job, history, may_go_on)
    if lost:
        outputs.talk.print(f"the result cannot be shown: {lost}", style="yellow", markup=False)
    elif value is not None:
        _show_result(outputs.tables, value)
    return 0


@app.command()
def cancel(job_id: IdArgument) -> int:
    """Cancel a job, wherever it runs or waits; it keeps its partial result."""
    return _steer(job_id, "cancel", lambda control, job: control.cancel(job), "cancelled")


@app.command()
def pause(job_id: IdArgument) -> int:
    """Pause a running job at its next check point."""
    return _steer(job_id, "pause", lambda control, job: control.pause(job), "paused")


@app.command(context_settings={"ignore_unknown_options": True})  # a number may be negative
def priority(
    job_id: IdArgument,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="A higher one runs first; default 0.")
    ],
) -> int:
    """Change the priority of a job that waits."""
    wish = f"give priority {number} to"
    return _steer(job_id, wish, partial(_set_priority, number), f"gave priority {number} to")


@app.command()
def resume(
    job_id: IdArgument,
    out: PosteriorOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
    cluster: ClusterOption = None,
    elsewhere: ElsewhereOption = False,
) -> int:
    """Resume a job that is paused, or that lost its application or its workers.

    Also resumes a job that was cancelled or reached its limits.
    Each job continues from its checkpoint.
    A job that ran on a cluster is resumed there.
    If it has ended there meanwhile, its result is fetched.

    Example: rheojobs jobs resume 6b6d
    """
    from rheojobs.cli.jobs.resuming import run_job

    with _control() as control:
        job = control.find(job_id)
    if job.owner is not None:
        return _steer(job.id, "resume", lambda control, job: control.resume(job), "resumed")
    return run_job(job, Outputs(json, plot, out), cluster, elsewhere)


@app.command()
def retry(
    job_id: IdArgument,
    out: PosteriorOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
    cluster: ClusterOption = None,
) -> int:
    """Run a failed or cancelled job again, from its checkpoint if it can be resumed."""
    from rheojobs.cli.jobs.resuming import run_job

    with _control() as control:
        job = control.find(job_id)
        control.check_retry(job)
    return run_job(job, Outputs(json, plot, out), cluster, again=True)


@app.command()
def remove(job_id: IdArgument) -> int:
    """Remove a job that has ended, and its result."""
    with _control() as control:
        job = control.find(job_id)
        control.remove(job.id)
    _say(f"removed {_label(job)}")
    return 0


def _control() -> closing[JobControl]:
    from rheojobs.engine.job_control import JobControl  # the help of a command needs no engine

    return closing(JobControl(store=job_list.open_store()))


def _steer(job_id: str, wish: str, verb: Callable[[JobControl, str], bool], done: str) -> int:
    with _control() as control:
        job = control.find(job_id)
        is_done = verb(control, job.id)
    _say(f"{done} {_label(job)}" if is_done else f"asked process {job.pid} to {wish} {_label(job)}")
    return 0


def _set_priority(number: int, control: JobControl, job_id: str) -> bool:
    return control.set_priority(number, job_id)


def _label(job: StoredJob) -> str:
    return f"{job.name} ({job.id[: job_list.ID_LENGTH]})"


def _say(line: str) -> None:
    Outputs().talk.print(line)


def _result(store: StoreReader, job: StoredJob) -> tuple[Any, str]:
    """Return a job's result or partial result, and the reason if it cannot be read."""
    try:
        value = store.result(job.id)
        return (store.result(job.id, "partial") if value is None else value), ""
    except (InputError, OSError) as error:
        return None, str(error)


def _plain(value: Any) -> Any:
    from rheojobs.engine.serialization import is_json

    if value is None or is_json(value):
        return value
    if hasattr(value, "as_dict"):
        from rheojobs.inference.results.json_format import to_json

        return writer.loads(to_json(value))
    return str(value)


def _show_facts(
    console: Console,
    job: StoredJob,
    history: Iterable[tuple[float, str, str]],
    may_go_on: bool,
) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    rows = {
        "job": f"{job.name} ({job.id})",
        "state": f"{job.state}{': ' if job.message else ''}{job.message}",
        "progress": job_list.progress_of(job),
        "may still run on": job.cluster_address if job.can_be_taken else "",
        "runs in": "" if job.pid is None else f"process {job.pid}",
        "needs": ", ".join(other[: job_list.ID_LENGTH] for other in job.after),
        "started": f"{job.attempts} times" if job.attempts > 1 else "",
        "task": job.task_type,
        "cannot be run again": job.not_durable_because,
        "continue with": job_list.resume_command(job) if may_go_on else "",
    }
    for head, words in rows.items():
        if words:
            facts.add_row(head, Text(words))
    for number, (when, state, message) in enumerate(history):
        moment = datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M:%S")
        facts.add_row("history" if not number else "", Text(f"{moment}  {state}  {message}"))
    console.print(facts)


def _show_result(console: Console, value: Any) -> None:
    from rheojobs.engine.serialization import is_json

    if is_json(value):
        console.print(Padding(Text(f"result  {writer.dumps(value)}"), (1, 0, 0, 0)))
        return
    from rheojobs.cli import report
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.fit_result import FitResult

    if isinstance(value, FitResult):
        report.show_fit(console, value)
    elif isinstance(value, BayesianResult):
        report.show_posterior(console, value)
    else:
        console.print(Text(str(value)))
