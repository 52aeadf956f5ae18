"""The messages that a running task sends to the engine, on all executors.

They are pickled only between processes of one application, and never written to disk.
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
        # The default of dataclasses takes four times as long, at both ends.
        names: tuple[str, ...] = type(self).__match_args__
        return type(self), tuple([getattr(self, name) for name in names])


@dataclass(frozen=True, slots=True)
class Started(Message):
    """The task has begun to run."""


@dataclass(frozen=True, slots=True)
class Progressed(Message):
    """The task has made progress."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Partial(Message):
    """A partial result of the task."""

    value: Any


@dataclass(frozen=True, slots=True)
class Inspected(Message):
    """The answer to `RunHandle.inspect`: the present result of the task, or None."""

    value: Any


@dataclass(frozen=True, slots=True)
class Checkpointed(Message):
    """A state from which the task can continue, as `serialization.pack_state` returns it."""

    state: bytes


@dataclass(frozen=True, slots=True)
class Kept(Message):
    """A file of the task's folder was written or removed on another machine.

    `content` is None for a removed file, and `sha256` the checksum of a written one.
    """

    name: str
    content: bytes | None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Paused(Message):
    """The task is paused."""


@dataclass(frozen=True, slots=True)
class Resumed(Message):
    """The task has resumed."""


@dataclass(frozen=True, slots=True)
class Stoppable(Message):
    """The task declares whether it can stop when asked, from now on."""

    possible: bool


@dataclass(frozen=True, slots=True)
class Succeeded(Message):
    """The task has returned a result."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed(Message):
    """The task has raised an error.

    Attributes
    ----------
    error : BaseException
        What the task raised.
    traceback : str
        The text of its traceback, as pickling an error loses it. In the receiving process it is
        the error's ``__cause__``, and its ``remote_traceback``.
    """

    error: BaseException
    traceback: str = ""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _arrived, (self.error, self.traceback)


@dataclass(frozen=True, slots=True)
class Cancelled(Message):
    """The task has stopped on request."""


@dataclass(frozen=True, slots=True)
class Died(Message):
    """The process that ran the task has ended."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost(Message):
    """The whole cluster is gone, which is not the task's fault."""

    reason: str


ENDINGS = (Succeeded, Failed, Cancelled, Died, Lost)
"""The last message of a run is one of these."""


def _arrived(error: BaseException, traceback: str) -> Failed:
    if traceback:
        error.__dict__["remote_traceback"] = traceback
        # The class may refuse to set attributes, as frozen dataclasses do.
        BaseException.__setattr__(error, "__cause__", RemoteTraceback(traceback))
    return Failed(error, traceback)
