"""Estimates of the time that a job still needs, from its progress or from earlier jobs.

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
"""The share of the time since the first step over which the present pace is measured.

It is short, because the pace changes mostly with the load of the machine; for samplings that had
the machine to themselves, a tenth and a half predict equally well.
"""

FEWEST_STEPS = 4
"""The least number of reports for the present pace, if there are so many."""

MOST_POINTS = 128
"""Reports of a stage that are stored, evenly thinned out."""

MARGIN = 0.15
"""By how much the range exceeds that of the paces so far, as later ones may be outside."""

REMEMBERED = 30
"""Durations that are stored for one task name."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """An estimate of the seconds still needed, and its range."""

    seconds: float
    low: float
    high: float


class TimeRemaining:
    """Estimates the time that a stage still needs, from its recent pace.

    The first step is left out, as it may include a compilation. The pace is measured over the
    last part of the time since then (`RECENT`). As this is a share, it suits a stage of a second
    and one of a day, and a slow start is forgotten. No trend is extrapolated: the steps of a
    warm-up become cheaper during its first third at most, and stay alike after that.
    """

    def __init__(self) -> None:
        self._stage: str | None = None
        self._total = 0
        self._start = (0.0, 0)
        self._steps: list[tuple[float, int]] = []
        self._stride = 1
        self._skipped = 0

    def update(self, progress: Progress, now: float) -> float | None:
        """Add a report made at `now` (s) and return the seconds left, None while unknown."""
        self.note(progress, now)
        left = self.left(now)
        return None if left is None else left.seconds

    def note(self, progress: Progress, now: float) -> None:
        """Add a report made at `now` (s)."""
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
            self._steps[-1] = point  # the newest report is always included
            return
        self._skipped = 0
        self._steps.append(point)
        if len(self._steps) > MOST_POINTS:
            self._steps = [*self._steps[:-1:2], self._steps[-1]]
            self._stride *= 2

    def left(self, now: float) -> Remaining | None:
        """Return the estimate at `now` (s); None while unknown."""
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
        if since > 2 * usual:  # the next step is overdue: the pace has slowed down
            pace = max(pace, (now - recent[0][0]) / (current - recent[0][1]))
        paces = [pace, *_paces(points)]
        margin = MARGIN if len(points) > FEWEST_STEPS else 1.0
        low, high = min(paces) / (1.0 + margin), max(paces) * (1.0 + margin)
        seconds = (max(0.0, to_do * each - since) for each in (pace, low, high))
        return Remaining(*seconds)


def _pace(first: tuple[float, int], last: tuple[float, int]) -> float:
    """Return the seconds per unit between two points."""
    return (last[0] - first[0]) / (last[1] - first[1])


def _recent(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return the points over which the present pace is measured."""
    begin, end = points[0][0], points[-1][0]
    place = max(0, len(points) - 1 - FEWEST_STEPS)
    while place > 0 and points[place][0] > end - RECENT * (end - begin):
        place -= 1
    return points[place:]


def _paces(points: list[tuple[float, int]], parts: int = 6) -> Iterator[float]:
    """Yield the paces of the parts of the later half, whose spread gives the range."""
    later = points[len(points) // 2 :] if len(points) > 2 * FEWEST_STEPS else points
    step = max(1, (len(later) - 1) // parts)
    for first, last in pairwise(later[::-step][::-1]):
        yield _pace(first, last)


class Durations:
    """Durations of earlier tasks by name, to estimate that of a task without progress."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def add(self, task_name: str, seconds: float) -> None:
        """Add the duration of a task of this name."""
        self._seconds[task_name].append(seconds)

    def left(self, task_name: str, elapsed: float = 0.0) -> Remaining | None:
        """Return the time that a task of this name still needs after `elapsed` seconds.

        None if no known task of the name took longer than that.
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
