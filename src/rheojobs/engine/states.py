"""The states of a job: the meaning of each, and the states that may follow it.

The engine, the store, the window and the documentation all use this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["STATES", "IllegalTransitionError", "JobState", "StateRow", "check_transition"]


class JobState(StrEnum):
    """A state of a job; `STATES` describes each."""

    QUEUED = "queued"
    BLOCKED = "blocked"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    INTERRUPTED = "interrupted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    __hash__ = str.__hash__  # that of Enum is slower, as it is written in Python

    @property
    def is_terminal(self) -> bool:
        """Whether no other state may follow."""
        return self in _ENDED


@dataclass(frozen=True, slots=True)
class StateRow:
    """One row of the table: the meaning of a state and its successors."""

    meaning: str
    successors: frozenset[JobState]


class IllegalTransitionError(RuntimeError):
    """A job tried to enter a state that may not follow its present one."""


_S = JobState

STATES: dict[JobState, StateRow] = {
    _S.QUEUED: StateRow(
        "waits for a free worker", frozenset({_S.RUNNING, _S.FAILED, _S.CANCELLED})
    ),
    _S.BLOCKED: StateRow("waits for other jobs", frozenset({_S.QUEUED, _S.CANCELLED})),
    _S.RUNNING: StateRow(
        "is running on a worker",
        frozenset({_S.PAUSED, _S.CANCELLING, _S.INTERRUPTED, _S.SUCCEEDED, _S.FAILED}),
    ),
    _S.PAUSED: StateRow(
        "is paused at a point from which it can continue",
        frozenset({_S.RUNNING, _S.CANCELLING, _S.INTERRUPTED, _S.SUCCEEDED, _S.FAILED}),
    ),
    _S.CANCELLING: StateRow("was asked to stop and has not stopped yet", frozenset({_S.CANCELLED})),
    _S.INTERRUPTED: StateRow(
        "lost its process and can be resumed", frozenset({_S.QUEUED, _S.CANCELLED})
    ),
    _S.SUCCEEDED: StateRow("ended with a result", frozenset()),
    _S.FAILED: StateRow("ended with an error", frozenset()),
    _S.CANCELLED: StateRow("was stopped on request", frozenset()),
}

_ENDED = frozenset(state for state, row in STATES.items() if not row.successors)


def check_transition(previous: JobState, state: JobState) -> None:
    """Raise `IllegalTransitionError` unless `state` may follow `previous`."""
    if state not in STATES[previous].successors:
        raise IllegalTransitionError(f"a job that is {previous} cannot become {state}")
