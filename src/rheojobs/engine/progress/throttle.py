"""Limits the rate of progress reports and partial results; the last is never lost."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rheojobs.engine.events import Progress
from rheojobs.engine.progress.numbers import Number, whole_numbers
from rheojobs.engine.timers import Timer, TimerThread

__all__ = ["MAX_EVENTS_PER_SECOND", "MAX_STAGES", "PartialThrottle", "ProgressThrottle"]

MAX_EVENTS_PER_SECOND = 30.0

MAX_STAGES = 64
"""The most stages of one task that are remembered: those that reported last."""

_timers = TimerThread("rheojobs-throttle")


class _Timers(Protocol):
    def call_later(self, seconds: float, action: Callable[[], object], /) -> Timer: ...


class ProgressThrottle:
    """Passes on at most `MAX_EVENTS_PER_SECOND` reports of a task, over all its stages.

    Within a stage progress never decreases: a smaller `current` than the previous one is raised
    to it. (Another attempt at the task has another throttle.) A report that comes too early waits,
    and is replaced by a newer one of its stage, which takes its place in the queue. The first in
    the queue is passed on when it is due, and all of them at `flush`, or at the first report of a
    new stage if the last second was quiet enough. So the last report of each stage is never lost,
    successive stages stay in order, and alternating stages get equal shares. If there are more
    than `MAX_STAGES`, the one that was silent longest is forgotten.

    Parameters
    ----------
    send : callable
        Receives each `Progress` that is passed on; called by one thread at a time.
    clock : callable, optional
        Gives the time in seconds.
    timed : bool
        Whether a timer thread passes on a waiting report when it is due; else the next report
        or `flush` does, so that `send` is only called on threads that report.
    timers : object with `call_later`, optional
        Calls the timers' actions; by default one thread for all throttles of the process.
    """

    def __init__(
        self,
        send: Callable[[Progress], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        timed: bool = True,
        timers: _Timers | None = None,
    ) -> None:
        self._timed = timed
        self._timers = timers if timers is not None else _timers
        self._send = send
        self._clock = clock
        self._interval = 1.0 / MAX_EVENTS_PER_SECOND
        self._lock = threading.Lock()
        # By stage, the one that reported last at the end.
        self._latest: dict[str, tuple[Progress, bool]] = {}
        self._waiting: dict[str, Progress] = {}
        # The times of the last reports, as many as are allowed per second.
        self._sent: deque[float] = deque([-math.inf], maxlen=int(MAX_EVENTS_PER_SECOND))
        self._timer: Timer | None = None
        self._error: BaseException | None = None

    def report(
        self,
        current: Number | None,
        total: Number | None = 0,
        message: str = "",
        stage: str = "",
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a report; pass it on now or later.

        Raises
        ------
        TypeError
            If `current` or `total` is no number.
        Exception
            Any exception of `send`, raised here or on the timer thread.
        """
        with self._lock:
            self._raise_error()
            is_new = stage not in self._latest
            latest, is_fraction = self._latest.pop(stage, (None, False))
            done, whole, is_fraction = whole_numbers(current, total, is_fraction=is_fraction)
            if latest is not None and done < latest.current:
                done, whole = _raised(latest, whole)
            progress = Progress(done, whole, message, stage, metrics if metrics is not None else {})
            self._latest[stage] = progress, is_fraction
            self._waiting[stage] = progress
            if len(self._latest) > MAX_STAGES:
                oldest = next(iter(self._latest))
                del self._latest[oldest]
                self._waiting.pop(oldest, None)
            while is_new and self._waiting and self._quiet_since() <= self._clock():
                self._pass_on(next(iter(self._waiting)))
            self._pass_on_if_due()

    def flush(self) -> None:
        """Pass on all waiting reports; raises an exception of `send`, also of the timer thread."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._raise_error()
            for stage in [stage for stage in self._latest if stage in self._waiting]:
                self._pass_on(stage)

    def close(self) -> None:
        """Pass on all waiting reports, and drop the reference to `send`: later ones are ignored."""
        try:
            self.flush()
        finally:
            self._send = _ignore

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _on_time(self) -> None:
        with self._lock:
            self._timer = None
            try:
                self._pass_on_if_due()
            except BaseException as error:  # the task's failure, raised at its next report
                self._error = error

    def _pass_on_if_due(self) -> None:
        due = max(self._sent[-1] + self._interval, self._quiet_since())
        early = due - self._clock()
        if early <= 0 and self._waiting:
            self._pass_on(next(iter(self._waiting)))
            early = max(self._interval, self._quiet_since() - self._clock())
        if self._waiting and self._timed and self._timer is None:
            self._timer = self._timers.call_later(early, self._on_time)

    def _quiet_since(self) -> float:
        """Return the time from which on the rate allows another report."""
        return -math.inf if len(self._sent) < MAX_EVENTS_PER_SECOND else self._sent[0] + 1.0

    def _pass_on(self, stage: str) -> None:
        progress = self._waiting.pop(stage)
        self._sent.append(self._clock())
        self._send(progress)


def _ignore(value: Any) -> None:
    """Ignore a report that comes too late."""


def _raised(latest: Progress, total: int) -> tuple[int, int]:
    """Return the numbers of a report, raised so that progress does not decrease."""
    # A total below the latest count is useless: the previous total stays.
    return latest.current, total if total >= latest.current else latest.total


class PartialThrottle:
    """Passes on the first partial results of a task at once, and then `MAX_EVENTS_PER_SECOND`.

    The number allowed per second is passed on at once, so that a short generator loses none.
    Beyond that a partial result waits and is replaced by a newer one. It is passed on by the thread
    that gave it, at its next call, or by `flush`: another thread would pickle an object while the
    task changes it.

    Parameters
    ----------
    send : callable
        Receives each partial result that is passed on.
    clock : callable, optional
        Gives the time in seconds.
    """

    def __init__(
        self, send: Callable[[Any], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._allowance = MAX_EVENTS_PER_SECOND
        self._counted_at = clock()
        self._waiting: tuple[int, Any] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a partial result has not been passed on yet."""
        return self._waiting is not None

    def give(self, value: Any) -> None:
        """Add a partial result; pass it on now or later."""
        with self._lock:
            self._waiting = threading.get_ident(), value
        self.pass_on()

    def pass_on(self, *, at_once: bool = False) -> None:
        """Pass on the partial result of this thread, if it is due, or `at_once`."""
        with self._lock:
            waiting = self._waiting
            if waiting is None or waiting[0] != threading.get_ident():
                return
            now = self._clock()
            earned = (now - self._counted_at) * MAX_EVENTS_PER_SECOND
            self._allowance = min(self._allowance + earned, MAX_EVENTS_PER_SECOND)
            self._counted_at = now
            if self._allowance < 1.0 and not at_once:
                return
            self._allowance = max(0.0, self._allowance - 1.0)
            self._waiting = None
            self._send(waiting[1])

    def flush(self) -> None:
        """Pass on the waiting partial result, of any thread."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                self._send(waiting[1])

    def close(self) -> None:
        """Pass on the waiting partial result, and drop the reference to `send`."""
        try:
            self.flush()
        finally:
            self._send = _ignore
