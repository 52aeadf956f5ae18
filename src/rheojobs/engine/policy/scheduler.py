"""Chooses the next job by priority and waiting time, within the free resources.

Pure: no threads, no clock, no I/O.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

__all__ = ["AGE_PER_LEVEL", "WORKER", "Scheduler", "Waiting", "fits"]

WORKER = "worker"
"""The name of the resource of which every job needs one."""

AGE_PER_LEVEL = 600.0
"""Seconds of waiting that are worth as much as one level of priority.

A job is only overtaken by a job of a priority higher by n that arrives at most n times this later,
so no job waits for ever. As all waiting jobs age alike, their order does not change with time.
"""

ROUNDING = 1e-9
"""The relative shortage of a resource that is attributed to rounding."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The scheduler's record of a waiting job.

    Attributes
    ----------
    id : str
        The job's id.
    priority : int
        Higher goes first.
    order : int
        The place in the order of arrival; among equals, the lower goes first.
    needs : mapping
        How much of each resource the job takes while it runs.
    since : float
        The time of its arrival (s), by any clock that all jobs share.
    affinity : str
        A name for jobs that may have to be skipped together.
    """

    id: str
    priority: int
    order: int
    needs: Mapping[str, float] = field(default_factory=dict)
    since: float = 0.0
    affinity: str = ""

    @property
    def key(self) -> tuple[float, int]:
        """The sort key: the lowest goes first."""
        return self.since - self.priority * AGE_PER_LEVEL, self.order


def fits(needs: Mapping[str, float], free: Mapping[str, float]) -> bool:
    """Return whether the free resources cover the needs."""
    return all(
        free.get(name, 0.0) >= amount - ROUNDING * max(1.0, amount)
        for name, amount in needs.items()
    )


class _Line:
    """A queue of jobs with the same needs; removed jobs are skipped when they come up."""

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
    """The waiting jobs, and the free resources.

    Jobs of the same needs and affinity wait in one queue. A decision inspects only the heads of the
    queues, and mostly one of them: it costs O(log n) for n jobs in a bounded number of queues.

    Parameters
    ----------
    total : mapping
        How much there is of each resource.

    Attributes
    ----------
    total, free : dict
        The total and the free amount of each resource.
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
        """Add a job to its queue."""
        key = (job.affinity, frozenset(job.needs.items()))
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(job.needs, job.affinity)
        line.add(job)
        self._line_of[job.id] = key
        if line.first()[1] == job.id:
            self._note_head(key, line)

    def remove(self, job_id: str) -> None:
        """Remove a job, if it waits."""
        if job_id in self._line_of:
            self._leave(job_id)

    def prioritise(self, job_id: str, priority: int) -> None:
        """Change the priority of a waiting job; it keeps its age."""
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

    def start(self, job_id: str) -> None:
        """Remove a job from its queue, and take the resources that it needs."""
        self.take(self._leave(job_id).needs)

    def next_to_start(self, avoid: Collection[str] = ()) -> str | None:
        """Return the job to start now.

        For the first job of a queue that lacks a resource, the available part of its needs is
        reserved, and the jobs behind it get only the rest, so that small jobs do not overtake a
        large one for ever. Workers are not reserved for a job that waits for another resource.

        Parameters
        ----------
        avoid : collection of str
            Affinities to skip this time.

        Returns
        -------
        str or None
            The job's id; None if none can start.
        """
        left = dict(self.free)
        passed: list[tuple[tuple[float, int], _LineKey]] = []
        seen: set[_LineKey] = set()
        chosen: str | None = None
        while self._heads and chosen is None and left.get(WORKER, 0.0) > ROUNDING:
            entry = heapq.heappop(self._heads)
            line = self._lines.get(entry[1])
            if line is None or entry[1] in seen or line.first()[0] != entry[0]:
                continue  # an outdated head of a queue
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
        """Take the resources of a new job if no other comes first; return whether that was done."""
        if self._line_of or not fits(needs, self.free):
            return False
        self.take(needs)
        return True

    def take(self, needs: Mapping[str, float]) -> None:
        """Take resources."""
        for name, amount in needs.items():
            self.free[name] -= amount

    def give_back(self, needs: Mapping[str, float]) -> None:
        """Release resources."""
        for name, amount in needs.items():
            self.free[name] += amount

    def grow(self, more: Mapping[str, float]) -> None:
        """Add to the total of some resources, which may be new; taken amounts stay taken."""
        for name, amount in more.items():
            self.total[name] = self.total.get(name, 0.0) + amount
            self.free[name] = self.free.get(name, 0.0) + amount


def _reserve(needs: Mapping[str, float], left: dict[str, float]) -> None:
    """Reserve the available part of the needs of a job that must wait."""
    waits_for_a_worker = not fits({WORKER: needs.get(WORKER, 0.0)}, left)
    for name, amount in needs.items():
        if name != WORKER or waits_for_a_worker:
            left[name] = max(0.0, left.get(name, 0.0) - amount)
