"""The command `rheojobs jobs list`: its options and its table, and how a job is described.

Imports neither typer nor an engine: importing them takes longer than printing the list.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rheojobs.cli.arguments import json_target
from rheojobs.cli.outputs import Outputs
from rheojobs.errors import InputError, nearest

if TYPE_CHECKING:
    from rheojobs.engine.states import JobState
    from rheojobs.engine.store import JobStore, StoredJob, StoreReader

__all__ = [
    "ALL",
    "ID_LENGTH",
    "JSON",
    "STATE",
    "ListOption",
    "as_dict",
    "iso",
    "list_jobs",
    "open_store",
    "open_to_read",
    "parse",
    "progress_of",
    "resume_command",
    "states_of",
]

RECENT = 20
"""How many ended jobs are listed without `--all`."""

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


@dataclass(frozen=True, slots=True)
class ListOption:
    """An option of `jobs list` as its help shows it; one without a metavar takes no value."""

    flag: str
    metavar: str
    help: str


STATE = ListOption("--state", "STATE", "Only jobs in this state.")
ALL = ListOption("--all", "", "Also jobs that ended long ago.")
JSON = ListOption(json_target.FLAG, json_target.METAVAR, json_target.HELP)


def parse(words: Sequence[str]) -> tuple[list[str], bool, Path | None] | None:
    """Return the arguments of `list_jobs`; None if the words are not just its options.

    Typer parses all other words: it has the help and the messages for mistakes.
    """
    given: dict[str, list[str]] = {option.flag: [] for option in (STATE, ALL, JSON)}
    rest = iter(words)
    for word in rest:
        value = next(rest, "-") if word == STATE.flag else ""
        if word not in given or value.startswith("-"):
            return None
        given[word].append(value)
    return given[STATE.flag], bool(given[ALL.flag]), Path("-") if given[JSON.flag] else None


def list_jobs(
    states: Sequence[str], every: bool, json: Path | None, overwrite: bool | None = None
) -> int:
    """List the jobs, newest last: all that have not ended, and the last that have ended.

    Parameters
    ----------
    states : sequence of str
        Only jobs in one of these states; empty for all.
    every : bool
        Also jobs that ended long ago.
    json : Path or None
        Write JSON to this file instead; ``-`` is standard output.
    overwrite : bool, optional
        As `Outputs` has it.
    """
    outputs = Outputs(json, overwrite=overwrite)
    wanted = states_of(states)
    with open_to_read() as store:
        ended = [state for state in wanted if state.is_terminal]
        open_ones = [state for state in wanted if not state.is_terminal]
        jobs = store.jobs(open_ones) + store.jobs(ended, limit=None if every else RECENT)
        counts = store.counts()
    jobs.sort(key=lambda job: job.number)
    if outputs.write_plain([as_dict(job) for job in jobs]):
        return 0
    left_out = sum(counts.get(state, 0) for state in wanted) - len(jobs)
    _show_list(outputs.tables, jobs)
    if left_out:
        outputs.talk.print(f"and {left_out:,} that ended earlier: --all", style="dim")
    return 0


def open_store() -> JobStore:
    """Open the store of this user's jobs."""
    from rheojobs.engine.store import JobStore

    store = JobStore()
    store.recover()  # jobs of a killed application are shown as interrupted
    return store


def open_to_read() -> StoreReader:
    """Open the store of this user's jobs; read-only, with a warning, if another machine has it."""
    from rheojobs.engine.errors import StoreElsewhereError
    from rheojobs.engine.store import StoreReader

    try:
        return open_store()
    except StoreElsewhereError as error:
        Outputs().alerts.print(f"read-only: {error}", style="yellow", markup=False)
        return StoreReader()


def states_of(texts: Sequence[str]) -> list[JobState]:
    """Return the states of these names; all states if there are none."""
    from rheojobs.engine.states import JobState

    return [_state(text) for text in texts or JobState]


def _state(text: str) -> JobState:
    from rheojobs.engine.states import JobState

    try:
        return JobState(text.strip().lower())
    except ValueError:
        raise InputError(f"unknown state {text!r}; {nearest(text, map(str, JobState))}") from None


def iso(when: float) -> str:
    """Write a time (seconds since the epoch) with its time zone."""
    return datetime.fromtimestamp(when).astimezone().isoformat(timespec="milliseconds")


def as_dict(job: StoredJob) -> dict[str, Any]:
    """Return all fields of a job, for JSON."""
    from dataclasses import asdict

    fields = asdict(job) | {"created": iso(job.created), "changed": iso(job.changed)}
    return fields | {"can_be_taken": job.can_be_taken}


def _ago(when: float) -> str:
    from rheojobs.durations import duration

    seconds = max(0.0, time.time() - when)
    if seconds < 86400:
        return f"{duration(round(seconds))} ago"
    return datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M")


def progress_of(job: StoredJob) -> str:
    """Return the progress of a job as text; empty if it has ended."""
    progress = job.progress
    if progress is None or job.state.is_terminal:
        return ""
    if progress.total > 0:
        return f"{progress.stage} {progress.current}/{progress.total}".strip()
    return progress.message


def resume_command(job: StoredJob) -> str:
    """Return the command that resumes a job."""
    return f"rheojobs jobs resume {job.id[:ID_LENGTH]}"


def _remark(job: StoredJob) -> str:
    if job.cluster_address and job.can_be_taken:
        return f"may still run on {job.cluster_address}: {resume_command(job)}"
    if job.message:
        return job.message
    if job.request:
        return f"asked {'for' if ' ' in job.request else 'to'} {job.request}"
    if job.can_be_taken:
        return f"waits for an application: {resume_command(job)}"
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
            Text(progress_of(job)),
            _ago(job.changed),
            Text(_remark(job)),
        )
    console.print(table if table.row_count else "no jobs")
