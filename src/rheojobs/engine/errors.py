"""Errors of the engine itself. Those that a user can fix are in `rheojobs.errors`."""

from __future__ import annotations

from rheojobs.errors import RheojobsError

__all__ = [
    "EngineClosedError",
    "EntryError",
    "JobTimeoutError",
    "MemoryLimitError",
    "NotDurableError",
    "RemoteTaskError",
    "RemoteTraceback",
    "StoreElsewhereError",
    "StoreError",
    "WorkerDiedError",
]


class EngineClosedError(RheojobsError, RuntimeError):
    """The engine was shut down and takes no more jobs."""


class WorkerDiedError(RheojobsError):
    """The process that ran a task has ended; the message says how."""


class JobTimeoutError(RheojobsError, TimeoutError):
    """A job ran longer than its time limit."""


class MemoryLimitError(RheojobsError, MemoryError):
    """A job's worker used more memory than the job's limit."""


class RemoteTaskError(RheojobsError):
    """A task failed with an error, or returned a result, that cannot be sent between processes."""


class RemoteTraceback(Exception):  # noqa: N818 - not an error, but the cause of one
    """The traceback of an error from another process, as text; the error's ``__cause__``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class NotDurableError(RheojobsError):
    """A task or a result cannot be stored on disk; the message says why."""


class StoreError(RheojobsError, OSError):
    """The job store cannot be read or written.

    Attributes
    ----------
    is_lasting : bool
        Whether trying again is useless: a damaged file, as opposed to a full disk.
    """

    def __init__(self, message: str, *, is_lasting: bool = False) -> None:
        super().__init__(message)
        self.is_lasting = is_lasting


class EntryError(StoreError):
    """One entry can never be written, such as a priority of 10**20; all others can."""


class StoreElsewhereError(StoreError):
    """The store is in use on another machine or on a network file system: it is only read here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, is_lasting=True)
