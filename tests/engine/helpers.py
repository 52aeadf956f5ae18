"""What the engine's tests share: the executors and a recorder.

Tests wait for what they need to have happened (a state, a file), never for a time to pass.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engine.chores import nothing
from tests.engine.cluster import shared_cluster

from rheojobs.engine import (
    Job,
    JobEngine,
    JobEvent,
    JobState,
    PartialResult,
    ProcessExecutor,
    Progress,
    ProgressMade,
    StateChanged,
    ThreadExecutor,
)
from rheojobs.engine.executors import Executor
from rheojobs.engine.executors.dask.executor import DaskExecutor

TIMEOUT = 30.0
"""Seconds after which something that should have happened long since counts as a failure."""

EXECUTORS: dict[str, Callable[[int], Executor]] = {
    "threads": ThreadExecutor,
    "processes": ProcessExecutor,
    "processes, stored": ProcessExecutor,
    "dask": lambda workers: DaskExecutor(shared_cluster().address, max_workers=workers),
}
"""What the conformance suite runs over: each takes the number of tasks that may run at a time.

The engine of one that is called stored keeps its jobs on disk.
"""

ABOVE_EXECUTORS = pytest.mark.parametrize(
    "executor_name", ["threads", "processes, stored"], indirect=True
)
"""Marks tests of behaviour that lies in the table of jobs and the bus of events.

An executor only delivers to these that a task began and how it ended, on a thread of its own; so
the tests run without a store and with one, and not on every executor.
"""


def store_for(executor_name: str, folder: Path) -> Path | None:
    """Name a store for an engine of this executor, None where it has none."""
    return folder / "jobs.sqlite3" if executor_name.endswith("stored") else None


class Recorder:
    """Keeps every event of an engine, and waits for those to come."""

    def __init__(self, engine: JobEngine) -> None:
        self.events: list[JobEvent] = []
        self._engine = engine
        self._news = threading.Condition()
        self.unsubscribe = engine.subscribe(self._record)

    def _record(self, event: JobEvent) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def of(self, job: Job) -> list[JobEvent]:
        """All events of a job so far."""
        with self._news:
            return [event for event in self.events if event.job_id == job.id]

    def states(self, job: Job) -> list[JobState]:
        """The states that a job has gone through."""
        return [event.state for event in self.of(job) if isinstance(event, StateChanged)]

    def progress(self, job: Job) -> list[Progress]:
        """What a job has reported."""
        return [event.progress for event in self.of(job) if isinstance(event, ProgressMade)]

    def partials(self, job: Job) -> list[Any]:
        """The partial results of a job."""
        return [event.value for event in self.of(job) if isinstance(event, PartialResult)]

    def wait(self, predicate: Callable[[], bool], timeout: float = TIMEOUT) -> None:
        """Wait until something holds that events can bring about."""
        with self._news:
            assert self._news.wait_for(predicate, timeout), f"in vain; so far: {self.events[-20:]}"

    def wait_for(self, job: Job, state: JobState, timeout: float = TIMEOUT) -> None:
        """Wait until a job has entered a state (it may have left it since)."""
        self.wait(lambda: state in self.states(job), timeout)

    def wait_for_end(self, job: Job, timeout: float = TIMEOUT) -> list[JobState]:
        """Wait for a job's terminal event, and give its whole history."""
        self.wait(lambda: any(state.is_terminal for state in self.states(job)), timeout)
        return self.states(job)

    def flush(self) -> None:
        """Wait until all that was told to the engine before is recorded."""
        marker = self._engine.submit(nothing, priority=10**6)
        self.wait_for_end(marker)


def wait_until(predicate: Callable[[], Any], timeout: float = TIMEOUT) -> None:
    """Wait until something holds that no event tells of."""
    deadline = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.005)
