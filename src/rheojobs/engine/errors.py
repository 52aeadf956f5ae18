"""Errors of the engine itself. Those that a user can mend are in `rheojobs.errors`."""

from __future__ import annotations

from rheojobs.errors import RheojobsError

__all__ = [
    "EngineClosedError",
    "JobTimeoutError",
    "MemoryLimitError",
    "RemoteTaskError",
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
