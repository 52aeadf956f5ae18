"""Decides what a message of a running task changes in its job. Pure: it changes nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.events import Progress
from rheojobs.engine.states import JobState

__all__ = [
    "Begin",
    "Checkpoint",
    "Death",
    "Effect",
    "End",
    "Enter",
    "Failure",
    "Inspection",
    "Loss",
    "Partial",
    "Report",
    "effects_of",
]

_S = JobState


@dataclass(frozen=True, slots=True)
class Effect:
    """Base of all effects."""


@dataclass(frozen=True, slots=True)
class Begin(Effect):
    """An attempt has begun, and is counted."""


@dataclass(frozen=True, slots=True)
class Enter(Effect):
    """The job enters a state that is not terminal."""

    state: JobState


@dataclass(frozen=True, slots=True)
class Report(Effect):
    """The job has made progress."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Partial(Effect):
    """The job has a newer partial result; `is_event` says whether an event is published."""

    value: Any
    is_event: bool = True


@dataclass(frozen=True, slots=True)
class Inspection(Effect):
    """Pending inspections of the job are answered."""


@dataclass(frozen=True, slots=True)
class Checkpoint(Effect):
    """The job can continue from this state."""

    state: bytes


@dataclass(frozen=True, slots=True)
class End(Effect):
    """The job ends."""

    state: JobState
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Failure(Effect):
    """The task has raised an error: the job fails, unless it is started again."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Death(Effect):
    """The worker has died: the job fails, unless it is started again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Loss(Effect):
    """The cluster is gone: the job is started again, left to another application, or fails."""

    reason: str


_BEGUN: tuple[Effect, ...] = (Begin(), Enter(_S.RUNNING))


def effects_of(
    message: messages.Message,
    state: JobState,
    *,
    cancel_wanted: bool = False,
    stop_error: BaseException | None = None,
) -> list[Effect]:
    """Return the effects of a message, in order; none if it comes too late or twice.

    Parameters
    ----------
    message : Message
        The message of the task or its executor.
    state : JobState
        The job's present state.
    cancel_wanted : bool
        Whether the job was asked to stop, perhaps before it began.
    stop_error : exception, optional
        Why the engine itself stops the job: it fails with this error, however its task ends.
    """
    if state.is_terminal or state in (_S.BLOCKED, _S.INTERRUPTED):
        return []
    if isinstance(message, messages.ENDINGS):
        return _ending(message, state, stop_error)
    return _on_the_way(message, state, cancel_wanted)


def _on_the_way(message: messages.Message, state: JobState, cancel_wanted: bool) -> list[Effect]:
    match message:
        case messages.Started() if state is _S.QUEUED:
            return [*_BEGUN, Enter(_S.CANCELLING)] if cancel_wanted else [*_BEGUN]
        case messages.Progressed(progress):
            return [Report(progress)]
        case messages.Partial(value):
            return [Partial(value)]
        case messages.Inspected(value):
            seen: list[Effect] = [] if value is None else [Partial(value, is_event=False)]
            return [*seen, Inspection()]
        case messages.Checkpointed(packed):
            return [Checkpoint(packed)]
        # Not if the job is in that state already: an application that reattaches to a run on a
        # cluster receives the message again.
        case messages.Paused() if state is _S.RUNNING:
            return [Enter(_S.PAUSED)]
        case messages.Resumed() if state is _S.PAUSED:
            return [Enter(_S.RUNNING)]
    return []


def _ending(
    message: messages.Message, state: JobState, stop_error: BaseException | None
) -> list[Effect]:
    is_stopping = state is _S.CANCELLING
    # A result that the task returns after it was asked to stop becomes the partial result.
    late: list[Effect] = []
    if isinstance(message, messages.Succeeded) and (is_stopping or stop_error is not None):
        late = [Partial(message.value, is_event=False)]
    if is_stopping:
        return [*late, End(_S.CANCELLED)]
    if stop_error is not None:
        return [*late, End(_S.FAILED, error=stop_error)]
    match message:
        case messages.Succeeded(value):
            begun = _BEGUN if state is _S.QUEUED else ()
            return [*begun, End(_S.SUCCEEDED, result=value)]
        case messages.Failed(error):
            return [Failure(error)]
        case messages.Died(reason):
            return [Death(reason)]
        case messages.Lost(reason):
            return [Loss(reason)]
    # The task stopped without being asked: the job passes through the same states.
    at_work = state in (_S.RUNNING, _S.PAUSED)
    return [*([Enter(_S.CANCELLING)] if at_work else []), End(_S.CANCELLED)]
