"""The statements that a short job waits for, and how its row is written. Knows SQL alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rheojobs.engine.states import STATES, JobState

__all__ = ["ENTRIES", "INSERT", "MOVES", "RUNS", "array", "line", "object_"]

INSERT = (
    "INSERT INTO jobs (id, name, task_type, not_durable_because, priority, needs, max_attempts,"
    " after, after_any, limits, created, changed, state, history, bytes, owner, task)"
    f" VALUES ({', '.join('?' * 17)})"
)


def _entering(state: JobState, where: str, by: JobState | None = None) -> str:
    """Give the statement that lets a job enter a state; its start counts as an attempt."""
    starts = JobState.RUNNING in (state, by)
    begins = f"attempts + (state = '{JobState.QUEUED}')" if starts else "attempts"
    # Who has ended a job has it no more, and nobody wants anything of it.
    ends = ", owner = NULL, request = ''" if state.is_terminal else ""
    brings = ", result = ?, bytes = bytes + ?" if state is JobState.SUCCEEDED else ""
    return (
        f"UPDATE jobs SET state = ?, message = ?, changed = ?, attempts = {begins},"
        f" history = history || ?{brings}{ends} WHERE {where}"
    )


def _before(state: JobState) -> str:
    names = (f"'{other}'" for other, row in STATES.items() if state in row.successors)
    return f"state IN ({', '.join(names)})"


ENTRIES: dict[JobState, str] = {
    state: _entering(state, "number = ?") for state in JobState if state is not JobState.SUCCEEDED
}
MOVES = {
    state: _entering(state, f"id = ? AND owner = ? AND {_before(state)}") for state in JobState
}
"""The statements by which a job enters a state, in any case and where it may: one each.

Where it succeeds, a small result comes with it, and the bytes of that.
"""

_STARTS = f"id = ? AND owner = ? AND {_before(JobState.RUNNING)}"
RUNS = {
    state: _entering(state, _STARTS, by=JobState.RUNNING)
    for state in STATES[JobState.RUNNING].successors
}
"""The same by which a job runs, and enters the next state."""


def line(when: float, state: JobState, message: str) -> str:
    """Give an entry of a job's history."""
    if not message:
        return f'[{when!r}, "{state}", ""]\n'
    return json.dumps([when, state, message]) + "\n"


def object_(items: Mapping[str, Any] | None) -> str:
    """Write a mapping; most are empty, or alike."""
    if not items:
        return "{}"
    return _ONE_WORKER if items == {"worker": 1.0} else json.dumps(dict(items))


_ONE_WORKER = json.dumps({"worker": 1.0})  # what most jobs need


def array(items: Iterable[str]) -> str:
    """Write a list; most are empty."""
    found = list(items)
    return json.dumps(found) if found else "[]"
