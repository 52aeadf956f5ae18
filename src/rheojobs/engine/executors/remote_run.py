"""A run in another process: what was said about it, and how long it has to stop.

Whether the process is one of ours or a cluster's is the executor's business.
"""

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
"""Seconds that a task has to stop that only prepares others: a killed worker would delay them."""

ABANDONED_GRACE = 20.0
"""The same for a task that has said that it cannot stop, and for which nobody waits any more."""


class _Executor(Protocol):
    """What such a run asks of its executor."""

    @property
    def timers(self) -> TimerThread: ...

    def cancel(self, control: Any, grace: float = ...) -> None: ...

    def send(self, control: Any, verb: str) -> None: ...


class RemoteRun(RunHandle):
    """A run on its way through waiting, a worker, and its end; guarded by its executor's lock."""

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
        """Whether it was asked to stop: then its time for that is limited."""
        return self.grace < math.inf

    def hurry(self, grace: float, has_worker: bool) -> bool:
        """Note that it must stop within `grace` seconds; return whether that changes anything.

        A run that cannot stop is abandoned: it finishes for nobody, as what it compiles is of use.
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
        """Have `strike` called with this run unless it has ended when its grace is over."""
        self.stop_timer()
        self.timer = self._executor.timers.call_later(self.grace, partial(strike, self))

    def stop_timer(self) -> None:
        """Call nobody any more."""
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
