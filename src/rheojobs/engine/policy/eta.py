"""How long a job still needs: from its progress, or from earlier tasks of the same name.

Pure: the time is an argument.
"""

from __future__ import annotations

import statistics
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rheojobs.engine.events import Progress

__all__ = ["Durations", "Remaining", "TimeRemaining"]

RECENT = 0.15
"""The share of the time since the first step over which the present pace is taken.

Short, since what changes a pace most is the machine, when others come and go: of real samplings
that had it for themselves a tenth and a half tell equally well.
"""

FEWEST_STEPS = 4
"""Reports that the present pace is taken over at least, where there are so many."""

MOST_POINTS = 128
"""Reports of a stage that are kept, evenly thinned out."""

MARGIN = 0.15
"""By how much the range is wider than the paces that were seen: later ones may be new."""

REMEMBERED = 30
"""Durations of one task name that are kept."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """Seconds that are still needed, probably, and between which the truth mostly lies."""

    seconds: float
    low: float
    high: float


class TimeRemaining:
    """Estimates the time that a stage still needs, from its recent pace.

    The first step is left out, as it may hold a compilation. The pace is taken over the last
    part of the time since (`RECENT`): a share, so that it suits a stage of a second and one of a
    day, and forgets a slow start as well as a speed of long ago. It is not taken for a trend: the
    steps of a warm-up grow cheaper up to a third of it at most, and then to no end it would help
    to foresee.
    """

    def __init__(self) -> None:
        self._stage: str | None = None
        self._total = 0
        self._start = (0.0, 0)
        self._steps: list[tuple[float, int]] = []
        self._stride = 1
        self._skipped = 0

    def update(self, progress: Progress, now: float) -> float | None:
        """Take in a report made at `now` (s) and give the seconds left, None while unknown."""
        self.note(progress, now)
        left = self.left(now)
        return None if left is None else left.seconds

    def note(self, progress: Progress, now: float) -> None:
        """Take in a report made at `now` (s)."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._start = (now, progress.current)
            self._steps = []
            self._stride, self._skipped = 1, 0
        self._total = progress.total
        newest = self._steps[-1] if self._steps else self._start
        if progress.current > newest[1]:
            self._keep((now, progress.current))

    def _keep(self, point: tuple[float, int]) -> None:
        self._skipped += 1
        if self._skipped < self._stride and len(self._steps) > 1:
            self._steps[-1] = point  # the newest is always there, exactly
            return
        self._skipped = 0
        self._steps.append(point)
        if len(self._steps) > MOST_POINTS:
            self._steps = [*self._steps[:-1:2], self._steps[-1]]
            self._stride *= 2

    def left(self, now: float) -> Remaining | None:
        """Give what is left at `now` (s) with its range; None while unknown."""
        if self._total <= 0 or not self._steps:
            return None
        at, current = self._steps[-1]
        to_do = max(0, self._total - current)
        if to_do == 0:
            return Remaining(0.0, 0.0, 0.0)
        points = self._steps if len(self._steps) > 1 else [self._start, *self._steps]
        recent = _recent(points)
        pace = _pace(recent[0], recent[-1])
        since, usual = now - at, (at - recent[0][0]) / (len(recent) - 1)
        if since > 2 * usual:  # the next step is overdue: it goes slower now
            pace = max(pace, (now - recent[0][0]) / (current - recent[0][1]))
        paces = [pace, *_paces(points)]
        margin = MARGIN if len(points) > FEWEST_STEPS else 1.0
        low, high = min(paces) / (1.0 + margin), max(paces) * (1.0 + margin)
        seconds = (max(0.0, to_do * each - since) for each in (pace, low, high))
        return Remaining(*seconds)


def _pace(first: tuple[float, int], last: tuple[float, int]) -> float:
    """Give the seconds per unit between two points."""
    return (last[0] - first[0]) / (last[1] - first[1])


def _recent(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Give the points that the present pace is taken from."""
    begin, end = points[0][0], points[-1][0]
    place = max(0, len(points) - 1 - FEWEST_STEPS)
    while place > 0 and points[place][0] > end - RECENT * (end - begin):
        place -= 1
    return points[place:]


def _paces(points: list[tuple[float, int]], parts: int = 6) -> Iterator[float]:
    """Give the paces of the parts of the later half, as a measure of how they vary."""
    later = points[len(points) // 2 :] if len(points) > 2 * FEWEST_STEPS else points
    step = max(1, (len(later) - 1) // parts)
    for first, last in pairwise(later[::-step][::-1]):
        yield _pace(first, last)


class Durations:
    """How long tasks of each name have taken: what to expect of one without progress."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def add(self, task_name: str, seconds: float) -> None:
        """Take in how long a task of this name ran, the latest last."""
        self._seconds[task_name].append(seconds)

    def left(self, task_name: str, elapsed: float = 0.0) -> Remaining | None:
        """Return how long a task of this name still needs that has run for `elapsed` seconds.

        None if no task of the name is known that took longer than that.
        """
        longer = sorted(s for s in self._seconds.get(task_name, ()) if s > elapsed)
        if not longer:
            return None
        likely = statistics.median(longer)
        if len(longer) == 1:
            low, high = likely / 2, likely * 2
        else:
            cuts = statistics.quantiles(longer, n=10, method="inclusive")
            low, high = cuts[0] / (1.0 + MARGIN), cuts[-1] * (1.0 + MARGIN)
        return Remaining(likely - elapsed, max(0.0, low - elapsed), high - elapsed)
