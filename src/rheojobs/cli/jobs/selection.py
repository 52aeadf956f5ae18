"""Which jobs a verb is for: those that are named, or all in some states; and the verb for each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from rheojobs.cli.arguments import completion
from rheojobs.cli.jobs.job_list import ID_LENGTH, states_of
from rheojobs.cli.statuses import BAD_INPUT, FAILED, INTERRUPTED, TERMINATED
from rheojobs.cli.terminal.numbers import plural
from rheojobs.errors import InputError, one_line

if TYPE_CHECKING:
    from rheojobs.engine.states import JobState
    from rheojobs.engine.store import JobStore, StoredJob

__all__ = [
    "AllOption",
    "IdArgument",
    "IdsArgument",
    "Selection",
    "StatesOption",
    "each",
    "label",
    "words_for",
]

IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The job's id, or a unique prefix of it.",
        autocompletion=completion.job_ids,
    ),
]
IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        show_default=False,
        help="The ids of jobs, or unique prefixes of them.",
        autocompletion=completion.job_ids,
    ),
]
AllOption = Annotated[
    bool, typer.Option("--all", metavar="", help="All jobs for which this is possible.")
]
StatesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="All jobs in this state.",
        autocompletion=completion.states,
    ),
]


@dataclass(frozen=True)
class Selection:
    """The jobs that a user means.

    Attributes
    ----------
    ids : sequence of str
        Their ids, or unique prefixes.
    every : bool
        All for which the verb is possible.
    states : sequence of str
        All of them in one of these states.
    """

    ids: Sequence[str] = ()
    every: bool = False
    states: Sequence[str] = ()

    @property
    def is_open(self) -> bool:
        """Whether the jobs are not named one by one."""
        return not self.ids

    def jobs(
        self, store: JobStore, verb: str, is_possible: Callable[[StoredJob], bool]
    ) -> list[StoredJob]:
        """Return the jobs; raise `InputError` if none is meant, or an id is of none.

        Parameters
        ----------
        store : JobStore
            Has them.
        verb : str
            The command's name.
        is_possible : callable
            Whether the verb is possible for a job. Those that are named are not asked: the verb
            itself says why not.
        """
        wanted: list[JobState] = states_of(self.states)
        if self.ids and (self.every or self.states):
            raise InputError("give ids, or --all or --state, not both")
        if not (self.ids or self.every or self.states):
            raise InputError(
                f"no job is named: rheojobs jobs {verb} ID, or --all, or --state STATE"
            )
        if self.ids:
            found = [store.find(job_id) for job_id in self.ids]
            return list({job.id: job for job in found}.values())
        return [job for job in store.jobs(wanted) if is_possible(job)]


def each(jobs: Iterable[StoredJob], act: Callable[[StoredJob], int]) -> int:
    """Do something for each job; return the first exit status that is not 0.

    What goes wrong with one of several is written, and does not keep it from the others. A stop
    by a signal is for all of them.
    """
    jobs = list(jobs)
    if len(jobs) == 1:
        return act(jobs[0])
    statuses = []
    for job in jobs:
        try:
            statuses.append(act(job))
        except Exception as error:  # a job that is run again may fail with any
            print(f"rheojobs: {label(job)}: {one_line(error)}", file=sys.stderr)
            statuses.append(BAD_INPUT if isinstance(error, InputError) else FAILED)
        if statuses[-1] in (INTERRUPTED, TERMINATED):
            return statuses[-1]
    return next(filter(None, statuses), 0)


def label(job: StoredJob) -> str:
    """Return the name of a job with its id."""
    return f"{job.name} ({job.id[:ID_LENGTH]})"


def words_for(jobs: Sequence[StoredJob]) -> str:
    """Return a job's name, or how many there are, for a question."""
    return label(jobs[0]) if len(jobs) == 1 else plural(len(jobs), "job")
