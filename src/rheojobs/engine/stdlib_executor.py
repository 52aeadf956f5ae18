"""The engine for whatever takes an executor of the standard library: asyncio, SciPy and others."""

from __future__ import annotations

import concurrent.futures
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rheojobs.engine.engine import JobEngine
    from rheojobs.engine.job import Job

__all__ = ["EngineExecutor"]


class EngineExecutor(concurrent.futures.Executor):
    """Runs functions as jobs of an engine, and forgets each as soon as it has ended."""

    def __init__(self, engine: JobEngine) -> None:
        self._engine = engine
        self._jobs: weakref.WeakSet[Job] = weakref.WeakSet()

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        """Run a function in the background."""
        job = self._engine.run(fn, *args, **kwargs)
        self._jobs.add(job)
        # A caller that maps over a million items keeps the futures that it needs.
        job.forget()
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for what was submitted here; the engine itself goes on."""
        jobs = list(self._jobs)
        if cancel_futures:
            for job in jobs:
                if not job.running():
                    job.cancel()
        if wait:
            concurrent.futures.wait([job.future for job in jobs])
