"""What a running task tells the engine, wherever it runs.

Values that the engine itself has no use for travel pickled, between our own processes
only: nothing of this is ever written to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from rheojobs.engine.errors import RemoteTraceback
from rheojobs.engine.events import Progress

__all__ = [
    "ENDINGS",
    "Cancelled",
    "Checkpointed",
    "Died",
    "Failed",
    "Inspected",
    "Kept",
    "Lost",
    "Message",
    "Partial",
    "Paused",
    "Progressed",
    "Resumed",
    "Started",
    "Stoppable",
    "Succeeded",
]


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages."""

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        # What a dataclass does by itself takes four times as long, at both ends.
        names: tuple[str, ...] = type(self).__match_args__
        return type(self), tuple([getattr(self, name) for name in names])


@dataclass(frozen=True, slots=True)
class Started(Message):
    """The task begins to run now."""


@dataclass(frozen=True, slots=True)
class Progressed(Message):
    """The task came further."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Partial(Message):
    """What the task has so far."""

    value: Any


@dataclass(frozen=True, slots=True)
class Inspected(Message):
    """What the task has so far, because somebody asked; None where it has nothing to show."""

    value: Any


@dataclass(frozen=True, slots=True)
class Checkpointed(Message):
    """A state from which the task can go on, as `serialization.pack_state` gives it."""

    state: bytes


@dataclass(frozen=True, slots=True)
class Kept(Message):
    """A file of the task's folder was written, or removed, on a machine that is not this one.

    `content` is None for one that was removed, and `sha256` the checksum of what was written.
    """

    name: str
    content: bytes | None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Paused(Message):
    """The task waits at a check point."""


@dataclass(frozen=True, slots=True)
class Resumed(Message):
    """The task goes on."""


@dataclass(frozen=True, slots=True)
class Stoppable(Message):
    """From now on the task can, or cannot, stop when asked."""

    possible: bool


@dataclass(frozen=True, slots=True)
class Succeeded(Message):
    """The task has ended with a result."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed(Message):
    """The task has ended with an error.

    Attributes
    ----------
    error : BaseException
        What the task raised.
    traceback : str
        The text of its traceback, for another process: pickling an error loses it. Where the
        message arrives, it is the error's ``__cause__``, and its ``remote_traceback``.
    """

    error: BaseException
    traceback: str = ""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _arrived, (self.error, self.traceback)


@dataclass(frozen=True, slots=True)
class Cancelled(Message):
    """The task has ended because it was asked to."""


@dataclass(frozen=True, slots=True)
class Died(Message):
    """The process that ran the task is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost(Message):
    """The place where tasks run is gone as a whole, which is no fault of the task."""

    reason: str


ENDINGS = (Succeeded, Failed, Cancelled, Died, Lost)
"""The last message of a run is one of these."""


def _arrived(error: BaseException, traceback: str) -> Failed:
    if traceback:
        error.__dict__["remote_traceback"] = traceback
        # As the class may refuse: frozen dataclasses do.
        BaseException.__setattr__(error, "__cause__", RemoteTraceback(traceback))
    return Failed(error, traceback)
