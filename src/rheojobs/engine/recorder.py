"""Where an engine sends what happens to its jobs: events to subscribers, a record to the disk.

`Recorder` keeps no record. `rheojobs.engine.store.writer.StoreWriter` has the same methods, and
writes what happened before it is published.
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
    """A job that is to be recorded.

    Attributes
    ----------
    id : str
        The job's id.
    describe : callable
        Returns what is kept of the task, None if nothing is; may run code of the user's.
    fields : callable
        Returns the other arguments of `JobStore.add`; called after `describe`.
    on_failure : callable
        Called with a reason if the job can never be recorded.
    checkpoint : bytes, optional
        Of an earlier job that this one continues.
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
        Returns what is to be removed once the result is on disk; runs code of the user's.
    on_unkept : callable
        Called with a reason if the result cannot be kept on disk.
    """

    result: Any = None
    partial: Any = None
    error: BaseException | None = None
    leftover: Callable[[], Leftover | None] | None = None
    on_unkept: Callable[[str], object] = field(default=lambda reason: None)


class _Here(threading.local):
    """What waits in this thread."""

    def __init__(self) -> None:
        self.unsettled: deque[Delivery] = deque()


class Recorder:
    """Passes events on, and keeps no record.

    Parameters
    ----------
    bus : EventBus
        Delivers the events.

    Attributes
    ----------
    store : JobStore or None
        Where the jobs are on disk; typed loosely, since the store stands on this module.
    problem : str
        Why they are not, though they should be; else empty.
    """

    store: Any = None

    def __init__(self, bus: EventBus, problem: str = "") -> None:
        self.bus = bus
        self._problem = problem
        self._here = _Here()

    @property
    def problem(self) -> str:
        """Why jobs are not on disk at present, though they should be; else empty."""
        return self._problem

    def add(self, new: NewJob) -> None:
        """Record a new job; it is on disk when this returns, if it can be."""

    def adding(self, new: NewJob) -> contextlib.AbstractContextManager[object]:
        """Record a new job while it is being started: no event of it is published before."""
        return contextlib.nullcontext()

    def publish(self, event: JobEvent, *, private: bool = False) -> None:
        """Record an event, if it is one that lasts, and deliver it to subscribers."""
        self.bus.publish(event, private=private)

    def end(
        self,
        event: StateChanged,
        outcome: Outcome,
        settle: Callable[[Any, Delivery], object],
        *,
        private: bool = False,
    ) -> None:
        """Record the end of a job, and call `settle` with its result and what delivers the event.

        `settle` may be called in this thread or in another one, and must not wait. It gets a
        `Spilled` in place of a large result that is read from the store when it is asked for.
        The success of a job may wait for `settle_here`, which the caller owes.
        """
        deliver = self.bus.delivery(event, private=private)
        if event.state is JobState.SUCCEEDED and deliver is to_nobody:
            self._here.unsettled.append(partial(settle, outcome.result, deliver))
        else:  # a subscriber gets the end of a job before the start of the next
            settle(outcome.result, deliver)

    def settle_here(self) -> None:
        """Settle the jobs whose success this thread has brought, and which wait for that.

        Apart from `end`, so that this thread first starts the next job, in which it gives way to
        others: whoever gets a result should then be the only one to hold it.
        """
        unsettled = self._here.unsettled
        while unsettled:
            unsettled.popleft()()

    def call(self, function: Delivery) -> None:
        """Call a function after all that was published before has been recorded and delivered."""
        self.bus.route(function)

    def flush(self) -> None:
        """Record and deliver at once what waits for that, since a caller waits for a result."""

    def keep_cluster_address(self, job_id: str, address: str) -> None:
        """Record where a job is about to go, before it goes."""

    def keep_task(self, job_id: str, record: Record) -> None:
        """Record the task of a job that could not be recorded until now."""

    def keep_checkpoint(self, job_id: str, packed: bytes) -> None:
        """Record a state from which the job can continue."""

    def give_away(self, job_id: str, reason: str) -> None:
        """Record that a job is interrupted, and free for others; of this end, nothing more."""

    def leave_open(self, job_ids: Iterable[str]) -> None:
        """Do not record that these jobs are stopped: others continue them, unless they end."""

    def note_tidied(self, job_id: str) -> None:
        """Record that what a job has left is removed."""

    def close(self) -> None:
        """End when all that came before is recorded and delivered."""
        self.bus.close()

    def join(self, timeout: float) -> None:
        """Wait for the end."""
        self.bus.join(timeout)
