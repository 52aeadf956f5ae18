"""A job in the store: one row of the table of jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from rheojobs.engine.errors import StoreError
from rheojobs.engine.events import Progress
from rheojobs.engine.serialization import from_json
from rheojobs.engine.states import JobState
from rheojobs.errors import one_line

__all__ = ["WAITING", "StoredJob"]

WAITING = (JobState.QUEUED, JobState.BLOCKED, JobState.INTERRUPTED)
"""The states in which a job without an owner waits for an engine to take it."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job in the store.

    Attributes
    ----------
    number : int
        Its place in the order of arrival.
    id, name, priority, state, message, attempts
        As in `Job`.
    task_type : str
        The import path of its task's class; empty if the task is not stored.
    not_durable_because : str
        Why it cannot be run again; empty if it can.
    needs, max_attempts, after, after_any
        As submitted; the latter two contain ids.
    limits : mapping
        Its tags, timeout and memory limit, as submitted.
    not_before : float or None
        When it may start at the earliest (seconds since the epoch).
    retry : mapping or None
        Its retry policy, as JSON.
    created, changed : float
        When it was submitted, and when its state changed last (seconds since the epoch).
    progress : Progress or None
        The newest progress that was stored.
    bytes : int
        The size of its task, result and checkpoint.
    owner : str or None
        The engine that runs it, or will run it.
    request : str
        The request that its owner has not read yet.
    cluster_address : str
        The cluster on which it may still run after its application has ended; else empty.
    pid : int or None
        The process of the owner.
    """

    number: int
    id: str
    name: str
    task_type: str
    not_durable_because: str
    priority: int
    needs: Mapping[str, float]
    max_attempts: int
    after: tuple[str, ...]
    after_any: tuple[str, ...]
    limits: Mapping[str, Any]
    not_before: float | None
    retry: Mapping[str, Any] | None
    created: float
    changed: float
    state: JobState
    message: str
    attempts: int
    progress: Progress | None
    bytes: int
    owner: str | None
    request: str
    cluster_address: str
    pid: int | None

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> StoredJob:
        """Return the job of a row of `sql.SELECT`, a mapping of column names to values."""
        for name, decode in _DECODERS:
            try:
                row[name] = decode(row[name])
            except (ValueError, TypeError, RecursionError) as error:
                raise StoreError(
                    f"the {name} of job {row['id'][:8]} is damaged: {one_line(error)}"
                ) from error
        if row["cluster_address"] and row["state"].is_terminal:
            row["cluster_address"] = ""
        return cls(**row)

    @property
    def can_be_taken(self) -> bool:
        """Whether an engine may take it: it waits, and has no owner."""
        return self.owner is None and self.state in WAITING and not self.not_durable_because


def _array(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(_checked(text, list))


def _object(text: str) -> dict[str, Any]:
    return {} if text == "{}" else cast(dict[str, Any], _checked(text, dict))


def _checked(text: str, kind: type) -> Any:
    value = from_json(text)
    if not isinstance(value, kind):
        raise TypeError(f"a {kind.__name__} is needed, got a {type(value).__name__}")
    return value


_DECODERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("needs", _object),
    ("limits", _object),
    ("after", _array),
    ("after_any", _array),
    ("state", JobState),
    ("retry", lambda text: _checked(text, dict) if text else None),
    ("progress", lambda text: Progress(*_checked(text, list)) if text else None),
)
"""Converters of the columns whose type in Python differs from that in SQL."""
