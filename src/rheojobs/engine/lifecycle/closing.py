"""How an engine shuts down: jobs are cancelled or left in the store, threads and processes end."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from typing import Protocol

from rheojobs.engine.executors import Executor
from rheojobs.engine.jobs.dispatcher import Dispatcher
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.recorder import Recorder

__all__ = ["Closing", "shut_down_at_exit"]


class _Engine(Protocol):
    def shutdown(self, wait: bool = ..., timeout: float = ...) -> bool: ...


def shut_down_at_exit(engine: _Engine) -> None:
    """Shut an engine down at the exit of the interpreter, if it still exists then."""
    atexit.register(_shut_down, weakref.ref(engine))


def _shut_down(reference: weakref.ref[_Engine]) -> None:
    if (engine := reference()) is not None:
        engine.shutdown(timeout=2.0)


class Closing:
    """Shuts an engine down, once, even if several threads ask for it.

    Parameters
    ----------
    table, dispatcher, recorder
        The parts of the engine.
    """

    def __init__(self, table: JobRegistry, dispatcher: Dispatcher, recorder: Recorder) -> None:
        self._table = table
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._has_begun = self._has_ended = False
        self._is_done = threading.Event()  # set after the first try

    def close(self, executor: Executor, *, wait: bool, timeout: float, leave: bool) -> bool:
        """Do what `JobEngine.shutdown` describes, and return whether everything has ended."""
        with self._table.lock:
            is_first, self._has_begun = not self._has_begun, True
            self._table.closed = True
            if is_first and leave:
                staying = filter(_may_stay, self._table.open.values())
                self._recorder.leave_open([job.id for job in staying])
        if not is_first:
            deadline = time.monotonic() + (timeout if wait else 0.0)
            if not self._is_done.wait(max(0.0, deadline - time.monotonic())):
                return False
            return self._has_ended or self._close(executor, max(0.0, deadline - time.monotonic()))
        if wait:
            return self._close(executor, timeout)
        closing = threading.Thread(target=self._close, args=(executor, timeout), daemon=True)
        try:
            closing.start()
            return False
        except RuntimeError:  # no thread can be started, or the interpreter ends
            return self._close(executor, 0.0)

    def _close(self, executor: Executor, timeout: float) -> bool:
        try:
            self._has_ended = self._give_back(executor, time.monotonic() + timeout)
        finally:
            self._is_done.set()
        return self._has_ended

    def _give_back(self, executor: Executor, deadline: float) -> bool:
        self._dispatcher.cancel_all()
        ended = executor.shutdown(max(0.0, deadline - time.monotonic()))
        ended = self._table.wait(max(0.05, deadline - time.monotonic())) and ended
        self._table.wake.set()
        with self._table.lock:
            self._table.close_if_empty()  # else settling the last job does so
        self._dispatcher.join(max(0.05, deadline - time.monotonic()))
        self._recorder.join(max(0.05, deadline - time.monotonic()))
        return ended


def _may_stay(job: Job) -> bool:
    """Return whether a job may be left in the store: it is durable, and was not cancelled."""
    return job.is_durable and not job.cancel_wanted and not job.is_prewarming
