"""What `jobs show` shows of a job: its facts, its history and its result."""

from __future__ import annotations

import json as writer
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli.jobs import job_list
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.engine.store import StoredJob, StoreReader

__all__ = ["plain_result", "result_of", "show_facts", "show_result"]


def result_of(store: StoreReader, job: StoredJob) -> tuple[Any, str]:
    """Return a job's result or partial result, and the reason if it cannot be read."""
    try:
        return store.kept_result(job.id), ""
    except (InputError, OSError) as error:
        return None, str(error)


def plain_result(value: Any) -> Any:
    from rheojobs.engine.serialization import is_json

    if value is None or is_json(value):
        return value
    if hasattr(value, "as_dict"):
        from rheojobs.inference.results.json_format import to_json

        return writer.loads(to_json(value))
    return str(value)


def show_facts(
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


def show_result(console: Console, value: Any) -> None:
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
