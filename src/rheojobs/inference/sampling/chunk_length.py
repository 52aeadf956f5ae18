"""How long a step of the integrator takes, which a chunk's length follows from. Knows no chains."""

from __future__ import annotations

__all__ = ["Pace"]

FIRST_LEAPFROGS = 8
"""Of the first chunk: one may take a second, where equations are solved."""


class Pace:
    """The seconds that a leapfrog takes, as measured last; any thread may tell and ask.

    It is kept with the compiled program, so that the next sampling need not find out again.
    """

    def __init__(self) -> None:
        self._seconds: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether any were measured: the program has been run."""
        return self._seconds is not None

    def leapfrogs(self, seconds: float) -> int:
        """Say how many leapfrogs take so long; at least one."""
        known = self._seconds
        return FIRST_LEAPFROGS if known is None else max(1, int(seconds / max(known, 1e-9)))

    def measured(self, seconds: float, leapfrogs: int) -> None:
        """Learn how long some leapfrogs took."""
        latest, known = seconds / max(leapfrogs, 1), self._seconds
        # The slower of recent ones: how long a differential equation takes depends on where.
        self._seconds = latest if known is None else max(latest, 0.5 * known)
