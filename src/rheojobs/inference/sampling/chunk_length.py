"""Measure how long a leapfrog takes, from which the length of a chunk follows."""

from __future__ import annotations

import math

__all__ = ["Pace"]

FIRST_LEAPFROGS = 8
"""Leapfrogs of the first chunk: one may take a second if equations are solved."""


class Pace:
    """The measured seconds of a leapfrog; safe to use from any thread.

    It is stored with the compiled program, so that the next sampling need not measure it again.
    """

    def __init__(self) -> None:
        self._seconds: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether it was measured, so that the program has been run."""
        return self._seconds is not None

    @property
    def seconds(self) -> float:
        """The seconds of a leapfrog; infinite if it was not measured."""
        return math.inf if self._seconds is None else self._seconds

    def leapfrogs(self, seconds: float) -> int:
        """Return how many leapfrogs take so long; at least one."""
        known = self._seconds
        return FIRST_LEAPFROGS if known is None else max(1, int(seconds / max(known, 1e-9)))

    def measured(self, seconds: float, leapfrogs: int) -> None:
        """Record how long some leapfrogs took."""
        latest, known = seconds / max(leapfrogs, 1), self._seconds
        # The slower of recent ones: the time of a differential equation depends on the position.
        self._seconds = latest if known is None else max(latest, 0.5 * known)
