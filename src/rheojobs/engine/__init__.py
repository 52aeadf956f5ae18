"""Background jobs: submit, watch, pause, cancel; with no Qt, no JAX and no rheology.

Names are imported when they are first used: a worker needs no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheojobs.lazy import importer

if TYPE_CHECKING:
    from rheojobs.engine.cancellation import CancellationError, CancellationToken
    from rheojobs.engine.engine import JobEngine
    from rheojobs.engine.errors import (
        EngineClosedError,
        JobTimeoutError,
        MemoryLimitError,
        NotDurableError,
        RemoteTaskError,
        StoreError,
        WorkerDiedError,
    )
    from rheojobs.engine.events import (
        JobEvent,
        PartialResult,
        PriorityChanged,
        Progress,
        ProgressMade,
        StateChanged,
    )
    from rheojobs.engine.executors import (
        Executor,
        ProcessExecutor,
        ThreadExecutor,
        WorkerInfo,
        worker_environment,
    )
    from rheojobs.engine.jobs.dependencies import ResultOf
    from rheojobs.engine.jobs.job import Job
    from rheojobs.engine.policy.retry import RetryPolicy
    from rheojobs.engine.states import STATES, JobState
    from rheojobs.engine.store import JobStore, StoredJob
    from rheojobs.engine.task import FunctionTask, Task, TaskContext

_HOMES = {
    "cancellation": (
        "CancellationError",
        "CancellationToken",
    ),
    "jobs.dependencies": ("ResultOf",),
    "engine": ("JobEngine",),
    "errors": (
        "EngineClosedError",
        "JobTimeoutError",
        "MemoryLimitError",
        "NotDurableError",
        "RemoteTaskError",
        "StoreError",
        "WorkerDiedError",
    ),
    "events": (
        "JobEvent",
        "PartialResult",
        "PriorityChanged",
        "Progress",
        "ProgressMade",
        "StateChanged",
    ),
    "executors": (
        "Executor",
        "ProcessExecutor",
        "ThreadExecutor",
        "WorkerInfo",
        "worker_environment",
    ),
    "jobs.job": ("Job",),
    "policy.retry": ("RetryPolicy",),
    "states": (
        "STATES",
        "JobState",
    ),
    "store": (
        "JobStore",
        "StoredJob",
    ),
    "task": (
        "FunctionTask",
        "Task",
        "TaskContext",
    ),
}
__all__ = [
    "STATES",
    "CancellationError",
    "CancellationToken",
    "EngineClosedError",
    "Executor",
    "FunctionTask",
    "Job",
    "JobEngine",
    "JobEvent",
    "JobState",
    "JobStore",
    "JobTimeoutError",
    "MemoryLimitError",
    "NotDurableError",
    "PartialResult",
    "PriorityChanged",
    "ProcessExecutor",
    "Progress",
    "ProgressMade",
    "RemoteTaskError",
    "ResultOf",
    "RetryPolicy",
    "StateChanged",
    "StoreError",
    "StoredJob",
    "Task",
    "TaskContext",
    "ThreadExecutor",
    "WorkerDiedError",
    "WorkerInfo",
    "worker_environment",
]

__getattr__ = importer(
    __name__, {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}
)


def __dir__() -> list[str]:
    return __all__
