"""The events that an engine publishes: small frozen records, in the order things happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rheojobs.engine.states import JobState

__all__ = [
    "JobEvent",
    "PartialResult",
    "PriorityChanged",
    "Progress",
    "ProgressMade",
    "StateChanged",
]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task has come.

    Attributes
    ----------
    current, total : int
        Units of work done and to do; `total` 0 where it is not known, else not below `current`.
        A task that reports fractions counts in thousandths.
    message : str
        What is being done, in words for a person.
    stage : str
        The part of the task that `current` and `total` count in.
    metrics : mapping
        Whatever else the task reports: the loss, the draws of each chain, divergences.
    """

    current: int = 0
    total: int = 0
    message: str = ""
    stage: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to the job `job_id` at `time` (seconds since the epoch)."""

    job_id: str
    time: float


@dataclass(frozen=True, slots=True)
class StateChanged(JobEvent):
    """The job went from `previous` to `state`.

    At its birth, and when a late subscriber gets its present state, `previous` is None and
    `name` is the job's: the job itself may be forgotten by then.
    """

    previous: JobState | None
    state: JobState
    message: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PriorityChanged(JobEvent):
    """The job got another priority."""

    priority: int


@dataclass(frozen=True, slots=True)
class ProgressMade(JobEvent):
    """The job came further."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class PartialResult(JobEvent):
    """The job gave what it has so far."""

    value: Any
