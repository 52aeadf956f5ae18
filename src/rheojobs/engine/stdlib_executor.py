"""The engine as an executor of the standard library, for asyncio, SciPy and others."""

from __future__ import annotations

import concurrent.futures
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["EngineExecutor"]


class _Job(Protocol):
    """The members of a job that are used here."""

    @property
    def future(self) -> concurrent.futures.Future[Any]: ...

    def running(self) -> bool: ...

    def cancel(self) -> bool: ...

    def forget(self) -> None: ...


class EngineExecutor(concurrent.futures.Executor):
    """Runs functions as jobs of an engine, and forgets each as soon as it has ended.

    Parameters
    ----------
    run : callable
        Submits a function with its arguments, and returns its job: `JobEngine.run`.
    """

    def __init__(self, run: Callable[..., _Job]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._jobs: weakref.WeakSet[_Job] = weakref.WeakSet()
        self._closed = False

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        """Run a function in the background; RuntimeError after `shutdown`."""
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            job = self._run(fn, *args, **kwargs)
            self._jobs.add(job)
        # A caller that maps over a million items holds only the futures that it needs.
        job.forget()
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more functions, and wait for those submitted; the engine keeps running."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs)
        if cancel_futures:
            for job in jobs:
                if not job.running():
                    job.cancel()
        if wait:
            concurrent.futures.wait([job.future for job in jobs])
