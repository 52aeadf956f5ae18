"""Loops of the engine's threads, which no exception ends, and which work in batches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

__all__ = ["BatchWakeup", "call_logged", "run_guarded"]

logger = logging.getLogger(__name__)

MOST_FAILURES = 20
"""Successive failed steps after which the loop counts as broken."""

MOMENT = 0.002
"""Seconds for which work that is not urgent waits for more, as a short job's start for its end."""

PAUSE = 0.02
"""Seconds that each further failure adds to the wait."""


def run_guarded(step: Callable[[], bool], on_broken: Callable[[str], object], what: str) -> None:
    """Call `step` until it returns False; a step that raises is logged, and the loop continues.

    Parameters
    ----------
    step : callable
        Does one round of work; returns whether to continue.
    on_broken : callable
        Called with a reason after many successive failures; then the loop ends.
    what : str
        What the loop does, for the log.
    """
    failures = 0
    while True:
        try:
            if not step():
                return
            failures = 0
        except BaseException as error:  # no exception of a job may end the loop
            failures += 1
            logger.exception("%s: a step failed", what)
            if failures >= MOST_FAILURES:
                on_broken(f"{what} fails again and again ({type(error).__name__}: {error})")
                return
            time.sleep(PAUSE * failures)


def call_logged(
    function: Callable[[], object],
    what: str,
    *,
    but: type[BaseException] | tuple[type[BaseException], ...] = (),
) -> None:
    """Call a function; log an exception that it raises, so that the caller continues.

    Parameters
    ----------
    function : callable
        The function.
    what : str
        What it is, for the log.
    but : exception type or tuple of exception types
        Exceptions that are not caught.
    """
    try:
        function()
    except but:
        raise
    except BaseException:  # user code may raise anything
        logger.exception("%s failed", what)


class BatchWakeup:
    """Wakes a thread that has work: at once, or after a moment if it is not urgent.

    While there is steady work it need not be woken at all, which would take as long as a short
    job.

    Parameters
    ----------
    longest : float
        Seconds after which it wakes up in any case.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._event = threading.Event()
        self._is_urgent = self._is_ticking = self._is_busy = self._was_needed = False

    def note(self, *, urgent: bool) -> None:
        """Note that there is work."""
        self._is_busy = True
        if urgent:
            self._is_urgent = True
            self._event.set()
        elif not self._is_ticking:
            self._event.set()

    def wait(self, has_work: Callable[[], bool]) -> None:
        """Wait for urgent work, for a moment for other work, and at most for `longest`."""
        if self._is_ticking:
            # If other threads do all the work, this one checks less often.
            self._event.wait(MOMENT if self._was_needed else 4 * MOMENT)
            self._was_needed = has_work()
        if not has_work() and not self._is_busy:
            self._is_ticking = False
            if not has_work():  # work that came before that has set no event
                self._event.wait(self._longest)
            self._is_ticking = self._is_busy or has_work()
            self._event.clear()
            if self._is_ticking and not self._is_urgent:
                self._event.wait(MOMENT)
        self._is_busy = self._is_urgent = False
        self._event.clear()
