"""A run in another process, of a pool or a cluster: the requests about it, and its time to stop."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from rheojobs.engine.executors.base import Run, RunHandle
from rheojobs.engine.task import task_affinity
from rheojobs.engine.timers import Timer, TimerThread

__all__ = ["RELEASE_GRACE", "RemoteRun"]

RELEASE_GRACE = 10.0
"""Seconds that a prewarming task has to stop: killing its worker would delay the next job."""

ABANDONED_GRACE = 20.0
"""The same for a cancelled task that has declared that it cannot stop at present."""


class _Executor(Protocol):
    """What a remote run needs from its executor."""

    @property
    def timers(self) -> TimerThread: ...

    def cancel(self, control: Any, grace: float = ...) -> None: ...

    def send(self, control: Any, verb: str) -> None: ...


class RemoteRun(RunHandle):
    """A run, from its wait for a worker to its end; guarded by its executor's lock."""

    def __init__(self, executor: _Executor, run: Run) -> None:
        self._executor = executor
        self.run = run
        self.affinity = task_affinity(run.task)
        self.grace = math.inf
        self.timer: Timer | None = None
        self.sent = False
        self.unsent: list[str] = []
        self.stoppable = True
        self.abandoned = False

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop, within a limited time."""
        return self.grace < math.inf

    def hurry(self, grace: float, has_worker: bool) -> bool:
        """Limit its time to stop to `grace` seconds; return whether that was a change.

        A run that cannot stop is abandoned: it may finish, as the program that it compiles can be
        used again, but its result is dropped.
        """
        if self.abandoned:
            return False
        if has_worker and not self.stoppable:
            self.abandoned = True
            self.grace = ABANDONED_GRACE
        elif grace < self.grace:
            self.grace = grace
        else:
            return False
        return True

    def strike_in_time(self, strike: Callable[[Any], object]) -> None:
        """Call `strike` with this run when its grace is over, unless it has ended by then."""
        self.stop_timer()
        self.timer = self._executor.timers.call_later(self.grace, partial(strike, self))

    def stop_timer(self) -> None:
        """Cancel the pending call."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def cancel(self) -> None:
        self._executor.cancel(self)

    def release(self) -> None:
        self._executor.cancel(self, RELEASE_GRACE)

    def pause(self) -> None:
        self._executor.send(self, "pause")

    def resume(self) -> None:
        self._executor.send(self, "resume")

    def inspect(self) -> None:
        self._executor.send(self, "inspect")
