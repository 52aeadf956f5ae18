"""Progress on its way from a task to those who watch: thinned out, in order, never losing the last.

Knows nothing of how the reports travel, nor of what is being counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rheojobs.engine.events import Progress

__all__ = ["MAX_EVENTS_PER_SECOND", "ProgressThrottle"]

MAX_EVENTS_PER_SECOND = 30.0


class ProgressThrottle:
    """Passes on at most `MAX_EVENTS_PER_SECOND` reports, and always the latest.

    Within a stage a report never goes back: a smaller `current` than the one before is
    raised to it. A report that comes too early waits and is replaced by a newer one; what
    waits is passed on when its time has come, when the stage changes, or at `flush`.

    Parameters
    ----------
    send : callable
        Takes each `Progress` that is passed on; called from one thread at a time.
    clock : callable, optional
        Gives the time in seconds.
    timed : bool
        Whether a timer's thread passes on what waits when its time has come; else the next
        report or `flush` does, so that `send` is only called by those who report.
    """

    def __init__(
        self,
        send: Callable[[Progress], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        timed: bool = True,
    ) -> None:
        self._timed = timed
        self._send = send
        self._clock = clock
        self._interval = 1.0 / MAX_EVENTS_PER_SECOND
        self._lock = threading.Lock()
        self._latest: Progress | None = None
        self._pending = False
        self._sent_at = float("-inf")
        self._timer: threading.Timer | None = None
        self._turn = 0

    def report(self, progress: Progress) -> None:
        """Take in a report; pass it on now or later."""
        with self._lock:
            latest = self._latest
            if latest is not None and latest.stage != progress.stage:
                self._pass_on()
            elif latest is not None and progress.current < latest.current:
                progress = Progress(
                    latest.current,
                    progress.total,
                    progress.message,
                    progress.stage,
                    progress.metrics,
                )
            self._latest = progress
            self._pending = True
            early = self._sent_at + self._interval - self._clock()
            if early <= 0:
                self._pass_on()
            elif self._timed and self._timer is None:
                self._timer = threading.Timer(early, self._on_time, (self._turn,))
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Pass on what waits."""
        with self._lock:
            self._pass_on()

    def _on_time(self, turn: int) -> None:
        with self._lock:
            if turn == self._turn:  # not where a report that came just now was quicker
                self._pass_on()

    def _pass_on(self) -> None:
        self._turn += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending and self._latest is not None:
            self._pending = False
            self._sent_at = self._clock()
            self._send(self._latest)
