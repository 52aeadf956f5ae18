"""The events that an engine publishes, as small frozen records."""

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
    """The progress of a task.

    Attributes
    ----------
    current, total : int
        Units of work done and to do; `total` is 0 if it is not known, else at least `current`.
        A task that reports fractions is counted in thousandths.
    message : str
        What is being done, for display.
    stage : str
        The part of the task that `current` and `total` count.
    metrics : mapping
        Other values that the task reports: the loss, the draws of each chain, divergences.
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

    For a new job, and when a late subscriber receives the present state, `previous` is None and
    `name` is the job's name, since the job itself may have been forgotten by then.
    """

    previous: JobState | None
    state: JobState
    message: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PriorityChanged(JobEvent):
    """The priority of the job has changed."""

    priority: int


@dataclass(frozen=True, slots=True)
class ProgressMade(JobEvent):
    """The job has made progress."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class PartialResult(JobEvent):
    """The job has a new partial result."""

    value: Any
