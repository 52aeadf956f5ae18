"""Errors of the engine itself. Those that a user can mend are in `rheojobs.errors`."""

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
    """The process that ran a task is gone; the message says how."""


class JobTimeoutError(RheojobsError, TimeoutError):
    """A job ran longer than the time that it was given."""


class MemoryLimitError(RheojobsError, MemoryError):
    """A job's worker used more memory than the job was given."""


class RemoteTaskError(RheojobsError):
    """A task failed with an error, or gave a result, that cannot cross between processes."""


class RemoteTraceback(Exception):  # noqa: N818 - not an error, but the cause of one
    """The traceback of an error from another process, as text; the error's ``__cause__``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class NotDurableError(RheojobsError):
    """A task or a result cannot be kept on disk; the message says why."""


class StoreError(RheojobsError, OSError):
    """The record of jobs on disk cannot be read or written.

    Attributes
    ----------
    is_lasting : bool
        Whether trying again is in vain: a damaged file, not a full disk.
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
