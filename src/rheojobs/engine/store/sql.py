"""SQL statements about jobs, derived from the columns and the table of states."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rheojobs.engine.errors import EntryError
from rheojobs.engine.serialization import utf8
from rheojobs.engine.states import STATES, JobState
from rheojobs.engine.store.schema import COLUMNS
from rheojobs.errors import one_line

__all__ = [
    "INSERT",
    "SELECT",
    "array",
    "entry",
    "limits",
    "line",
    "move",
    "object_",
    "one_of",
    "text",
]

_INSERTED = [column.name for column in COLUMNS if column.is_inserted]
INSERT = (
    f"INSERT INTO jobs ({', '.join(_INSERTED)})"
    f" VALUES ({', '.join(f':{name}' for name in _INSERTED)})"
)

_SELECTED = [f"jobs.{column.name}" for column in COLUMNS if column.is_selected]
SELECT = (
    f"SELECT {', '.join(_SELECTED)}, engines.pid"
    " FROM jobs LEFT JOIN engines ON engines.id = jobs.owner"
)


def one_of(states: Iterable[JobState]) -> str:
    """Return states as a list in SQL; safe, as they are no user input."""
    return f"({', '.join(f"'{state}'" for state in states)})"


def _entering(state: JobState, where: str, by: JobState | None = None) -> str:
    """Return the statement that changes a job's state; a start counts as an attempt."""
    starts = JobState.RUNNING in (state, by)
    begins = f"attempts + (state = '{JobState.QUEUED}')" if starts else "attempts"
    # A job that has ended has no owner and no request.
    ends = ", owner = NULL, request = ''" if state.is_terminal else ""
    brings = ", result = ?, bytes = bytes + ?" if state is JobState.SUCCEEDED else ""
    return (
        f"UPDATE jobs SET state = ?, message = ?, changed = ?, attempts = {begins},"
        f" history = history || ?{brings}{ends} WHERE {where}"
    )


def _may_enter(state: JobState) -> str:
    return f"state IN {one_of(s for s, row in STATES.items() if state in row.successors)}"


_MINE = "id = ? AND owner = ?"
# The success of a job includes a small result, and its size in bytes.
_MOVES = {state: _entering(state, f"{_MINE} AND {_may_enter(state)}") for state in JobState}
# Statements for a start that is written together with the next state.
_RUNS = {
    state: _entering(state, f"{_MINE} AND {_may_enter(JobState.RUNNING)}", by=JobState.RUNNING)
    for state in STATES[JobState.RUNNING].successors
}
_ENTRIES: dict[JobState, str] = {
    state: _entering(state, "number = ?") for state in JobState if state is not JobState.SUCCEEDED
}


def entry(number: int, state: JobState, message: str = "") -> tuple[str, tuple[Any, ...]]:
    """Return the statement and the values to change a job's state now, unconditionally."""
    now = time.time()
    return _ENTRIES[state], (state, message, now, line(now, state, message), number)


def move(
    job_id: str,
    owner: str,
    state: JobState,
    message: str,
    *,
    when: float | None,
    began: float | None,
    result: str | None,
) -> tuple[str, tuple[Any, ...]]:
    """Return the statement and the values to change a job's state, if the transition is legal.

    Parameters are those of `JobStore.move`.
    """
    now = time.time() if when is None else when
    history, statement = line(now, state, message), _MOVES[state]
    if began is not None:
        history, statement = line(began, JobState.RUNNING, "") + history, _RUNS[state]
    brought = (result, len(result or "")) if state is JobState.SUCCEEDED else ()
    return statement, (state, message, now, history, *brought, job_id, owner)


def line(when: float, state: JobState, message: str) -> str:
    """Return an entry of a job's history."""
    if not message:
        return f'[{when!r}, "{state}", ""]\n'
    return json.dumps([when, state, message]) + "\n"


def text(value: Any, *, allow_nan: bool = True) -> str:
    """Return a field as JSON; raise `EntryError` if that is not possible."""
    try:
        return json.dumps(value, allow_nan=allow_nan)
    except (ValueError, TypeError, RecursionError) as error:
        raise EntryError(f"a field of a job cannot be stored: {one_line(error)}") from error


def object_(items: Mapping[str, Any] | None) -> str:
    """Return a mapping as JSON that SQLite can parse; most are empty, or alike."""
    if not items:
        return "{}"
    return _ONE_WORKER if items == {"worker": 1.0} else text(dict(items), allow_nan=False)


def limits(items: Mapping[str, Any] | None) -> str:
    """Return the limits of a job as JSON, with tags in UTF-8, as SQLite searches them."""
    if items and "tags" in items:
        items = {**items, "tags": list(map(utf8, items["tags"]))}
    return object_(items)


_ONE_WORKER = json.dumps({"worker": 1.0})  # the needs of most jobs


def array(items: Iterable[str]) -> str:
    """Return a list as JSON; most are empty."""
    found = list(items)
    return text(found) if found else "[]"
