"""Who runs next: by priority and by waiting time, within the free resources.

Pure: no threads, no clock, no input or output. The engine says what comes and what goes, and
asks who is next.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

__all__ = ["AGE_PER_LEVEL", "WORKER", "Scheduler", "Waiting", "fits"]

WORKER = "worker"
"""The resource that every job needs one of."""

AGE_PER_LEVEL = 600.0
"""Seconds of waiting that are worth as much as one level of priority.

A job is thus overtaken only by those of a priority higher by n that came at most n times so
many seconds after it, and their number is finite: none waits for ever. As all that wait age
alike, their order does not change with time.
"""

ROUNDING = 1e-9
"""What may be missing of a resource, as a share, through the rounding of fractions."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits: what the scheduler must know of it.

    Attributes
    ----------
    id : str
        The job's id.
    priority : int
        Higher goes first.
    order : int
        Among equals the lower goes first: the place in the order of arrival.
    needs : mapping
        How much of each resource the job takes while it runs.
    since : float
        When it came (s); any clock that all jobs share.
    affinity : str
        Names jobs that may have to be left aside together.
    """

    id: str
    priority: int
    order: int
    needs: Mapping[str, float] = field(default_factory=dict)
    since: float = 0.0
    affinity: str = ""

    @property
    def key(self) -> tuple[float, int]:
        """The place in line: the lowest goes first."""
        return self.since - self.priority * AGE_PER_LEVEL, self.order


def fits(needs: Mapping[str, float], free: Mapping[str, float]) -> bool:
    """Say whether what is free covers what is needed."""
    return all(
        free.get(name, 0.0) >= amount - ROUNDING * max(1.0, amount)
        for name, amount in needs.items()
    )


class _Line:
    """Jobs that need the same, the first in front; those that left are skipped when met."""

    def __init__(self, needs: Mapping[str, float], affinity: str) -> None:
        self.needs = dict(needs)
        self.affinity = affinity
        self._jobs: dict[str, Waiting] = {}
        self._heap: list[tuple[tuple[float, int], str]] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Waiting) -> None:
        self._jobs[job.id] = job
        heapq.heappush(self._heap, (job.key, job.id))

    def remove(self, job_id: str) -> Waiting:
        job = self._jobs.pop(job_id)
        if len(self._heap) > 2 * len(self._jobs) + 16:
            self._heap = [(job.key, job.id) for job in self._jobs.values()]
            heapq.heapify(self._heap)
        return job

    def first(self) -> tuple[tuple[float, int], str]:
        while True:
            key, job_id = self._heap[0]
            job = self._jobs.get(job_id)
            if job is not None and job.key == key:
                return key, job_id
            heapq.heappop(self._heap)


_LineKey = tuple[str, frozenset[tuple[str, float]]]


class Scheduler:
    """The jobs that wait, and the resources that are free.

    Jobs of the same needs and affinity wait in one line. A decision looks at the heads of the
    lines alone, and mostly at one of them: it costs O(log n) for n jobs in a bounded number of
    lines.

    Parameters
    ----------
    total : mapping
        How much there is of each resource.

    Attributes
    ----------
    total, free : dict
        How much there is of each resource, and how much of it is not taken.
    """

    def __init__(self, total: Mapping[str, float]) -> None:
        self.total = dict(total)
        self.free = dict(total)
        self._lines: dict[_LineKey, _Line] = {}
        self._line_of: dict[str, _LineKey] = {}
        self._heads: list[tuple[tuple[float, int], _LineKey]] = []

    def __len__(self) -> int:
        return len(self._line_of)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._line_of

    def add(self, job: Waiting) -> None:
        """Let a job stand in line."""
        key = (job.affinity, frozenset(job.needs.items()))
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(job.needs, job.affinity)
        line.add(job)
        self._line_of[job.id] = key
        if line.first()[1] == job.id:
            self._note_head(key, line)

    def remove(self, job_id: str) -> None:
        """Let a job leave, if it stands in line."""
        if job_id in self._line_of:
            self._leave(job_id)

    def prioritise(self, job_id: str, priority: int) -> None:
        """Give a job that waits another priority; it keeps its age."""
        old = self._leave(job_id)
        self.add(Waiting(old.id, priority, old.order, old.needs, old.since, old.affinity))

    def _leave(self, job_id: str) -> Waiting:
        key = self._line_of.pop(job_id)
        line = self._lines[key]
        was_first = line.first()[1] == job_id
        job = line.remove(job_id)
        if not line:
            del self._lines[key]
        elif was_first:
            self._note_head(key, line)
        return job

    def _note_head(self, key: _LineKey, line: _Line) -> None:
        heapq.heappush(self._heads, (line.first()[0], key))
        if len(self._heads) > 4 * len(self._lines) + 16:
            self._heads = [(line.first()[0], key) for key, line in self._lines.items()]
            heapq.heapify(self._heads)

    def start_next(self, avoid: Collection[str] = ()) -> str | None:
        """Choose the job to start now as `next_to_start` does, and `start` it."""
        if (chosen := self.next_to_start(avoid)) is not None:
            self.start(chosen)
        return chosen

    def start(self, job_id: str) -> None:
        """Let a job leave the line, and take what it needs."""
        self.take(self._leave(job_id).needs)

    def next_to_start(self, avoid: Collection[str] = ()) -> str | None:
        """Choose the job to start now.

        The first of a line that cannot have all it needs keeps what it can have already, and
        those behind it get only the rest, so that a large job is not overtaken for ever by
        small ones. Workers alone are not kept idle for a job that waits for something else.

        Parameters
        ----------
        avoid : collection of str
            Affinities to leave aside this time.

        Returns
        -------
        str or None
            The job's id; None where none can start.
        """
        left = dict(self.free)
        passed: list[tuple[tuple[float, int], _LineKey]] = []
        seen: set[_LineKey] = set()
        chosen: str | None = None
        while self._heads and chosen is None and left.get(WORKER, 0.0) > ROUNDING:
            entry = heapq.heappop(self._heads)
            line = self._lines.get(entry[1])
            if line is None or entry[1] in seen or line.first()[0] != entry[0]:
                continue  # of a line that has got another head since
            seen.add(entry[1])
            passed.append(entry)
            if line.affinity in avoid:
                continue
            if fits(line.needs, left):
                chosen = line.first()[1]
            else:
                _reserve(line.needs, left)
        for entry in passed:
            heapq.heappush(self._heads, entry)
        return chosen

    def start_now(self, needs: Mapping[str, float]) -> bool:
        """Take what a new job needs if no other would come first; return whether."""
        if self._line_of or not fits(needs, self.free):
            return False
        self.take(needs)
        return True

    def take(self, needs: Mapping[str, float]) -> None:
        """Take resources."""
        for name, amount in needs.items():
            self.free[name] -= amount

    def give_back(self, needs: Mapping[str, float]) -> None:
        """Give resources back."""
        for name, amount in needs.items():
            self.free[name] += amount

    def grow(self, more: Mapping[str, float]) -> None:
        """Reckon with more of some resources, perhaps of new ones; what is taken stays taken."""
        for name, amount in more.items():
            self.total[name] = self.total.get(name, 0.0) + amount
            self.free[name] = self.free.get(name, 0.0) + amount


def _reserve(needs: Mapping[str, float], left: dict[str, float]) -> None:
    """Keep for a job that must wait what it can have already."""
    waits_for_a_worker = not fits({WORKER: needs.get(WORKER, 0.0)}, left)
    for name, amount in needs.items():
        if name != WORKER or waits_for_a_worker:
            left[name] = max(0.0, left.get(name, 0.0) - amount)
