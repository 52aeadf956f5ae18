"""Executors run tasks on threads, in warm worker processes, or on a Dask cluster."""

from __future__ import annotations

from rheojobs.engine.executors.base import Executor, Run, WorkerInfo
from rheojobs.engine.executors.environment import worker_environment
from rheojobs.engine.executors.processes.pool import ProcessExecutor
from rheojobs.engine.executors.threads import ThreadExecutor
from rheojobs.errors import InputError, nearest

__all__ = [
    "Executor",
    "ProcessExecutor",
    "Run",
    "ThreadExecutor",
    "WorkerInfo",
    "make_executor",
    "worker_environment",
]


def make_executor(
    executor: str | Executor, max_workers: int | None, preload: tuple[str, ...]
) -> Executor:
    """Return an executor object as it is, or make the one of that name, by default of 4 workers."""
    if isinstance(executor, Executor):
        if max_workers is not None:
            raise InputError("max_workers goes with the executor object; leave it out here")
        return executor
    workers = 4 if max_workers is None else max_workers
    if workers < 1:
        raise InputError(f"max_workers must be greater than 0, got {workers}")
    if executor == "processes":
        return ProcessExecutor(workers, preload=preload)
    if executor == "threads":
        return ThreadExecutor(workers)
    raise InputError(
        f"unknown executor {executor!r}; {nearest(executor, ['processes', 'threads'])}"
    )
