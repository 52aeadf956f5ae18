"""Loops that never end by an exception."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["run_guarded"]

logger = logging.getLogger(__name__)

MOST_FAILURES = 20
"""Steps that may fail one after another until the loop counts as broken."""

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
