"""Measure how long a step of a compiled loop takes, from which the length of a call follows."""

from __future__ import annotations

import math

__all__ = ["Pace"]


class Pace:
    """The measured seconds of a step; safe to use from any thread.

    It is kept with the compiled program, so that the next job need not measure it again.

    Parameters
    ----------
    first : int
        How many steps to take while nothing is known: one may take a second if equations are
        solved.
    """

    def __init__(self, first: int = 1) -> None:
        self._first = first
        self._seconds: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether it was measured, so that the program has been run."""
        return self._seconds is not None

    @property
    def seconds(self) -> float:
        """The seconds of a step; infinite if it was not measured."""
        return math.inf if self._seconds is None else self._seconds

    def steps(self, seconds: float) -> int:
        """Return how many steps take so long; at least one."""
        known = self._seconds
        return self._first if known is None else max(1, int(seconds / max(known, 1e-9)))

    def measured(self, seconds: float, steps: int) -> None:
        """Record how long some steps took."""
        latest, known = seconds / max(steps, 1), self._seconds
        # The slower of recent ones: the time of a differential equation depends on the position.
        self._seconds = latest if known is None else max(latest, 0.5 * known)
