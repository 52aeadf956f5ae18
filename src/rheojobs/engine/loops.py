"""Loops of our threads: they never end by an exception, and work in batches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

__all__ = ["BatchWakeup", "run_guarded"]

logger = logging.getLogger(__name__)

MOST_FAILURES = 20
"""Steps that may fail one after another until the loop counts as broken."""

MOMENT = 0.002
"""Seconds for which what is not urgent waits for more, such as a short job's start for its end."""

PAUSE = 0.02
"""Seconds by which each further failure waits longer."""


def run_guarded(step: Callable[[], bool], on_broken: Callable[[str], object], what: str) -> None:
    """Call `step` until it returns False; a step that raises is logged, and the loop continues.

    Parameters
    ----------
    step : callable
        Does one round; returns whether there may be another.
    on_broken : callable
        Called with a reason if many steps fail one after another; then the loop ends.
    what : str
        Names the loop.
    """
    failures = 0
    while True:
        try:
            if not step():
                return
            failures = 0
        except BaseException as error:  # the loop must outlive whatever a job leads to
            failures += 1
            logger.exception("%s: a step failed", what)
            if failures >= MOST_FAILURES:
                on_broken(f"{what} fails again and again ({type(error).__name__}: {error})")
                return
            time.sleep(PAUSE * failures)


class BatchWakeup:
    """When a thread looks for work: at once, or after a moment if it is not urgent.

    While there is something every other moment, it need not be woken, which takes a short job's
    time.

    Parameters
    ----------
    longest : float
        Seconds after which it looks in any case.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._event = threading.Event()
        self._is_urgent = self._is_ticking = self._is_busy = self._was_needed = False

    def note(self, *, urgent: bool) -> None:
        """Note that there is something to do."""
        self._is_busy = True
        if urgent:
            self._is_urgent = True
            self._event.set()
        elif not self._is_ticking:
            self._event.set()

    def wait(self, has_work: Callable[[], bool]) -> None:
        """Wait until there is something that is urgent, or has waited for a moment, or for long."""
        if self._is_ticking:
            # If other threads have written all that came, this one looks less often.
            self._event.wait(MOMENT if self._was_needed else 4 * MOMENT)
            self._was_needed = has_work()
        if not has_work() and not self._is_busy:
            self._is_ticking = False
            if not has_work():  # what came before that has set no event
                self._event.wait(self._longest)
            self._is_ticking = self._is_busy or has_work()
            self._event.clear()
            if self._is_ticking and not self._is_urgent:
                self._event.wait(MOMENT)
        self._is_busy = self._is_urgent = False
        self._event.clear()
