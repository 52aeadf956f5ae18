"""The commands `rheojobs jobs …`: list, show and control the jobs of the store.

Only `resume` and `retry` start an engine; requests to other processes go through the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rheojobs.cli.arguments import completion
from rheojobs.cli.arguments.general import command, group
from rheojobs.cli.arguments.options import (
    ClusterOption,
    ElsewhereOption,
    JsonOption,
    OverwriteOption,
    PlotOption,
    PosteriorOption,
    YesOption,
)
from rheojobs.cli.jobs import job_list
from rheojobs.cli.jobs.selection import (
    AllOption,
    IdArgument,
    IdsArgument,
    Selection,
    StatesOption,
    each,
    label,
    words_for,
)
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.terminal.consent import agrees, can_ask
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.engine.job_control import JobControl
    from rheojobs.engine.store import JobStore, StoredJob

__all__ = ["app"]

app = group(
    "List and control the jobs of this computer, including those of an open window.\n\n"
    "Example: rheojobs jobs list"
)


def _option(option: job_list.ListOption, **settings: Any) -> Any:
    """Return an option of `jobs list` as typer takes it."""
    return typer.Option(option.flag, metavar=option.metavar, help=option.help, **settings)


@command(app, "list")
def list_jobs(
    states: Annotated[
        list[str] | None, _option(job_list.STATE, autocompletion=completion.states)
    ] = None,
    every: Annotated[bool, _option(job_list.ALL)] = False,
    json: JsonOption = None,
    overwrite: OverwriteOption = None,
) -> int:
    """List the jobs, newest last: all that have not ended, and the last that have ended.

    Example: rheojobs jobs list --state running
    """
    return job_list.list_jobs(states or (), every, json, overwrite)


@command(app)
def show(job_id: IdArgument, json: JsonOption = None, overwrite: OverwriteOption = None) -> int:
    """Show all details of a job, including its result.

    Example: rheojobs jobs show 6b6d
    """
    from rheojobs.cli.jobs import details

    outputs = Outputs(json, overwrite=overwrite)
    with job_list.open_to_read() as store:
        job = store.find(job_id)
        history = store.history(job.id)
        error = store.error(job.id)
        may_go_on = store.may_go_on(job)
        value, lost = details.result_of(store, job)
    if json is not None:
        fields = job_list.as_dict(job) | {
            "may_go_on": may_go_on,
            "history": [[job_list.iso(when), state, message] for when, state, message in history],
            "result": details.plain_result(value),
            "traceback": error.get("traceback", ""),
        }
        outputs.write_plain(fields)
        return 0
    details.show_facts(outputs.tables, job, history, may_go_on)
    if lost:
        outputs.alerts.print(f"the result cannot be shown: {lost}", style="yellow", markup=False)
    elif value is not None:
        details.show_result(outputs.tables, value)
    return 0


@command(app)
def cancel(ids: IdsArgument = None, every: AllOption = False, states: StatesOption = None) -> int:
    """Cancel jobs, wherever they run or wait; each keeps its partial result.

    Example: rheojobs jobs cancel 6b6d
    """
    selection = Selection(ids or (), every, states or ())
    return _steer(selection, "cancel", lambda job: not job.state.is_terminal, "cancelled")


@command(app)
def pause(ids: IdsArgument = None, every: AllOption = False, states: StatesOption = None) -> int:
    """Pause running jobs at their next check point.

    Example: rheojobs jobs pause 6b6d
    """
    selection = Selection(ids or (), every, states or ())
    return _steer(selection, "pause", lambda job: job.state == "running", "paused")


@command(app, context_settings={"ignore_unknown_options": True})  # a number may be negative
def priority(
    job_id: IdArgument,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="A higher one runs first; default 0.")
    ],
) -> int:
    """Change the priority of a job that waits.

    Example: rheojobs jobs priority 6b6d 3
    """
    with _control() as (_, control):
        job = control.find(job_id)
        is_done = control.set_priority(number, job.id)
    wish = f"give priority {number} to"
    return _say_steered(job, is_done, wish, f"gave priority {number} to")


@command(app)
def resume(
    job_id: IdArgument,
    out: PosteriorOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
    elsewhere: ElsewhereOption = False,
) -> int:
    """Resume a job that is paused, or that lost its application or its workers.

    Example: rheojobs jobs resume 6b6d

    Also resumes a job that was cancelled or reached its limits.
    Each job continues from its checkpoint.
    A job that ran on a cluster is resumed there.
    If it has ended there meanwhile, its result is fetched.
    """
    from rheojobs.cli.jobs.resuming import run_job

    with _control() as (_, control):
        job = control.find(job_id)
    if job.owner is not None:
        return _steer(Selection([job.id]), "resume", lambda job: True, "resumed")
    outputs = Outputs(json, plot, out, overwrite=overwrite)
    return run_job(job, outputs, cluster, elsewhere)


@command(app)
def retry(
    ids: IdsArgument = None,
    every: AllOption = False,
    states: StatesOption = None,
    out: PosteriorOption = None,
    json: JsonOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = None,
    cluster: ClusterOption = None,
) -> int:
    """Run failed or cancelled jobs again, one after the other.

    Example: rheojobs jobs retry 6b6d

    A job that can be resumed continues from its checkpoint.
    """
    from rheojobs.cli.jobs.resuming import run_job

    selection = Selection(ids or (), every, states or ())
    with _control() as (store, control):
        jobs = selection.jobs(store, "retry", _is_retryable)
        if selection.ids:
            for job in jobs:
                control.check_retry(job)
    if not jobs:
        return _say("no job to retry")
    if len(jobs) > 1 and (out, json, plot) != (None, None, None):
        raise InputError("several jobs have no common --out, --json or --plot: rheojobs export ID")
    outputs = Outputs(json, plot, out, overwrite=overwrite)
    return each(jobs, lambda job: run_job(job, outputs, cluster, again=True))


def _is_retryable(job: StoredJob) -> bool:
    return job.state in ("failed", "cancelled") and not job.not_durable_because


@command(app)
def remove(
    ids: IdsArgument = None,
    every: AllOption = False,
    states: StatesOption = None,
    yes: YesOption = False,
) -> int:
    """Remove jobs that have ended, and their results.

    Example: rheojobs jobs remove --state failed

    Asks on a terminal. A script must give --yes for jobs that it does not name.
    """
    selection = Selection(ids or (), every, states or ())
    with _control() as (store, control):
        jobs = selection.jobs(store, "remove", lambda job: job.state.is_terminal)
        if not jobs:
            return _say("no job to remove")
        if not yes:
            _check_removal(selection, jobs)

        def act(job: StoredJob) -> int:
            control.remove(job.id)
            return _say(f"removed {label(job)}")

        return each(jobs, act)


def _check_removal(selection: Selection, jobs: Sequence[StoredJob]) -> None:
    """Ask whether jobs may be removed; raise `InputError` if not, or if nobody can be asked."""
    if can_ask():
        whose = "its result" if len(jobs) == 1 else "their results"
        if not agrees(f"Remove {words_for(jobs)} and {whose}?"):
            raise InputError("nothing was removed")
    elif selection.is_open:
        raise InputError(f"this would remove {words_for(jobs)}: give --yes, or their ids")


@contextmanager
def _control() -> Iterator[tuple[JobStore, JobControl]]:
    from rheojobs.engine.job_control import JobControl  # the help of a command needs no engine

    with job_list.open_store() as store:
        yield store, JobControl(store=store)


def _steer(
    selection: Selection, verb: str, is_possible: Callable[[StoredJob], bool], done: str
) -> int:
    with _control() as (store, control):
        jobs = selection.jobs(store, verb, is_possible)
        if not jobs:
            return _say(f"no job to {verb}")

        def act(job: StoredJob) -> int:
            is_done: bool = getattr(control, verb)(job.id)
            return _say_steered(job, is_done, verb, done)

        return each(jobs, act)


def _say_steered(job: StoredJob, is_done: bool, wish: str, done: str) -> int:
    asked = f"asked process {job.pid} to {wish} {label(job)}"
    return _say(f"{done} {label(job)}" if is_done else asked)


def _say(line: str) -> int:
    Outputs().talk.print(line, markup=False)
    return 0
