"""Count the seconds that a job runs."""

from __future__ import annotations

__all__ = ["RunningClock"]


class RunningClock:
    """A stopwatch of the seconds that a job runs, over all attempts and without pauses."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def go(self, now: float) -> None:
        """Start counting."""
        self._since = now

    def stop(self, now: float) -> None:
        """Stop counting."""
        self._before, self._since = self.seconds(now), None

    @property
    def goes(self) -> bool:
        """Whether it is counting."""
        return self._since is not None

    def seconds(self, now: float) -> float:
        """Return the seconds so far."""
        return self._before + (now - self._since if self._since is not None else 0.0)
