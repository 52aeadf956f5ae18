"""The recorder of an engine, which receives all that happens to its jobs, and publishes events.

`Recorder` stores nothing. `StoreWriter` of `rheojobs.engine.store.writing` has the same methods,
and writes a change to disk before it publishes it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rheojobs.engine.delivery.event_bus import Delivery, EventBus, to_nobody
from rheojobs.engine.events import JobEvent, StateChanged
from rheojobs.engine.serialization import Record
from rheojobs.engine.states import JobState
from rheojobs.engine.task import Leftover

__all__ = ["NewJob", "Outcome", "Recorder"]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A new job that must be recorded.

    Attributes
    ----------
    id : str
        The job's id.
    describe : callable
        Returns the record of the task, or None; may run user code.
    fields : callable
        Returns the other arguments of `JobStore.add`; called after `describe`.
    on_failure : callable
        Called with the reason if the job can never be recorded.
    checkpoint : bytes, optional
        The state of an earlier job that this one continues.
    """

    id: str
    describe: Callable[[], Record | None]
    fields: Callable[[], Mapping[str, Any]]
    on_failure: Callable[[str], object]
    checkpoint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job has ended.

    Attributes
    ----------
    result, partial : object
        The result; if there is none, the newest partial result.
    error : exception or None
        Why it failed.
    leftover : callable or None
        Returns what must be removed once the result is on disk; runs user code.
    on_unkept : callable
        Called with the reason if the result cannot be stored.
    """

    result: Any = None
    partial: Any = None
    error: BaseException | None = None
    leftover: Callable[[], Leftover | None] | None = None
    on_unkept: Callable[[str], object] = field(default=lambda reason: None)


class _Here(threading.local):
    """The jobs that this thread must settle."""

    def __init__(self) -> None:
        self.unsettled: deque[Delivery] = deque()


class Recorder:
    """Publishes events, and stores nothing.

    Parameters
    ----------
    bus : EventBus
        Delivers the events.

    Attributes
    ----------
    store : JobStore or None
        The store of the jobs; typed loosely, since the store imports this module.
    problem : str
        Why the jobs are not stored, though they should be; else empty.
    """

    store: Any = None

    def __init__(self, bus: EventBus, problem: str = "") -> None:
        self.bus = bus
        self._problem = problem
        self._here = _Here()

    @property
    def problem(self) -> str:
        """Why jobs are not stored at present, though they should be; else empty."""
        return self._problem

    def add(self, new: NewJob) -> None:
        """Record a new job; it is on disk when this returns, if it can be."""

    def adding(self, new: NewJob) -> contextlib.AbstractContextManager[object]:
        """Record a new job while it is being started: no event of it is published before."""
        return contextlib.nullcontext()

    def publish(self, event: JobEvent, *, private: bool = False) -> None:
        """Record an event, if it must be stored, and deliver it to subscribers."""
        self.bus.publish(event, private=private)

    def end(
        self,
        event: StateChanged,
        outcome: Outcome,
        settle: Callable[[Any, Delivery], object],
        *,
        private: bool = False,
    ) -> None:
        """Record the end of a job, and call `settle` with its result and the event's delivery.

        `settle` may be called on this thread or on another one, and must not block. It receives a
        `Spilled` in place of a large result that is read from the store on demand. The success of
        a job may wait for `settle_here`, which the caller must call.
        """
        deliver = self.bus.delivery(event, private=private)
        if event.state is JobState.SUCCEEDED and deliver is to_nobody:
            self._here.unsettled.append(partial(settle, outcome.result, deliver))
        else:  # a subscriber receives the end of a job before the start of the next
            settle(outcome.result, deliver)

    def settle_here(self) -> None:
        """Settle the jobs whose success this thread has delivered.

        This is separate from `end` so that this thread starts the next job first. That may switch
        to other threads, and a thread that receives a result should be the only one to hold it.
        """
        unsettled = self._here.unsettled
        while unsettled:
            unsettled.popleft()()

    def call(self, function: Delivery) -> None:
        """Call a function after all earlier events have been recorded and delivered."""
        self.bus.route(function)

    def flush(self) -> None:
        """Record and deliver waiting events at once, since a caller waits for a result."""

    def keep_cluster_address(self, job_id: str, address: str) -> None:
        """Record the cluster of a job before it is sent there."""

    def keep_task(self, job_id: str, record: Record) -> None:
        """Record the task of a job that could not be recorded until now."""

    def keep_checkpoint(self, job_id: str, packed: bytes) -> None:
        """Record a state from which the job can continue."""

    def give_away(self, job_id: str, reason: str) -> None:
        """Record that a job is interrupted and free for others, but not its end here."""

    def leave_open(self, job_ids: Iterable[str]) -> None:
        """Record the ends of these jobs, but not that they are stopped: others continue them."""

    def note_tidied(self, job_id: str) -> None:
        """Record that the leftover of a job is removed."""

    def close(self) -> None:
        """End after all earlier events are recorded and delivered."""
        self.bus.close()

    def join(self, timeout: float) -> None:
        """Wait for the end."""
        self.bus.join(timeout)
