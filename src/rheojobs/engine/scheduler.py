"""Who runs next: priority, then first come, within the free resources.

Pure: no threads, no clock, no input or output. The engine asks, and does what it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["WORKER", "Waiting", "fits", "next_to_start"]

WORKER = "worker"
"""The resource that every job needs one of."""


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
    """

    id: str
    priority: int
    order: int
    needs: Mapping[str, float] = field(default_factory=dict)


ROUNDING = 1e-9
"""What may be missing of a resource through the rounding of fractions taken and given back."""


def fits(needs: Mapping[str, float], free: Mapping[str, float]) -> bool:
    """Say whether what is free covers what is needed."""
    return all(free.get(name, 0.0) >= amount - ROUNDING for name, amount in needs.items())


def next_to_start(waiting: Iterable[Waiting], free: Mapping[str, float]) -> list[str]:
    """Choose the jobs to start now.

    A job in line that cannot have all it needs keeps what it can have already, and those
    behind it get only the rest, so that a large job is not overtaken for ever by small ones.
    Workers alone are not kept idle for a job that waits for something else.

    Parameters
    ----------
    waiting : iterable of Waiting
        The jobs that could start, in any order.
    free : mapping
        How much of each resource is free.

    Returns
    -------
    list of str
        The ids, in the order in which to start them.
    """
    left = dict(free)
    chosen: list[str] = []
    for job in sorted(waiting, key=lambda job: (-job.priority, job.order)):
        taken = dict(job.needs)
        if fits(job.needs, left):
            chosen.append(job.id)
        elif fits({WORKER: taken.get(WORKER, 0.0)}, left):
            taken.pop(WORKER, None)
        for name, amount in taken.items():
            left[name] = max(0.0, left.get(name, 0.0) - amount)
    return chosen
