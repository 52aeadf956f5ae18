"""What a user may ask for a job, checked: its resources, limits and dependencies.

Knows neither executors nor states.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping

from rheojobs.engine.scheduler import WORKER
from rheojobs.engine.sizes import parse_bytes, size
from rheojobs.errors import InputError, nearest

__all__ = [
    "MEMORY",
    "check_memory",
    "check_priority",
    "check_tags",
    "check_timeout",
    "needs_again",
    "needs_of",
    "total_resources",
]

MEMORY = "memory"
"""The resource that a job's memory limit counts as, where the engine has it."""

_TAG = "tag:"

Amount = float | str


def total_resources(
    capacity: int, resources: Mapping[str, Amount] | None, limits: Mapping[str, int] | None
) -> dict[str, float]:
    """Give how much there is of everything: a limit on a tag is a resource like any other."""
    total = {WORKER: float(capacity)}
    for name, amount in (resources or {}).items():
        total[name] = _amount(name, amount)
        if not 0 <= total[name] < float("inf"):
            raise InputError(f"there cannot be {amount!r} of the resource {name!r}")
    for tag, most in (limits or {}).items():
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise InputError(f"the limit of {tag!r} must be a whole number above 0, got {most!r}")
        total[_TAG + tag] = float(most)
    return total


def needs_of(
    wanted: Mapping[str, Amount],
    total: Mapping[str, float],
    tags: Iterable[str] = (),
    memory: int | None = None,
) -> dict[str, float]:
    """Give what a job needs of what there is, its worker and its tags' shares included.

    Raises
    ------
    InputError
        Where a resource is unknown, or there is not so much of it.
    """
    needs = {WORKER: 1.0}
    if memory is not None and MEMORY in total:
        needs[MEMORY] = float(memory)
    for name, amount in wanted.items():
        needs[name] = _amount(name, amount)
    for name, number in needs.items():
        if name not in total or name.startswith(_TAG):
            known = [known for known in total if not known.startswith(_TAG)]
            raise InputError(f"unknown resource {name!r}; {nearest(name, known)}")
        if not 0 <= number <= total[name]:
            raise InputError(
                f"the job asks for {_shown(name, number, total)} of {name!r}, "
                f"there is {_shown(name, total[name], total)}"
            )
    if needs[WORKER] < 1:
        raise InputError(f"a job takes at least 1 {WORKER!r}, got {needs[WORKER]:g}")
    for tag in tags:
        if _TAG + tag in total:
            needs[_TAG + tag] = 1.0
    return needs


def needs_again(
    before: Mapping[str, float],
    total: Mapping[str, float],
    tags: Iterable[str],
    memory: int | None,
) -> dict[str, float]:
    """Give what a job of the store needs here, where other limits may hold than `before`."""
    derived = {MEMORY} if memory is not None else set()
    wanted = {
        name: amount
        for name, amount in before.items()
        if name not in derived and not name.startswith(_TAG)
    }
    return needs_of(wanted, total, tags, memory)


def _shown(name: str, amount: float, total: Mapping[str, float]) -> str:
    """Write an amount; memory in bytes as people write it."""
    in_bytes = name == MEMORY and max(amount, total[name]) >= 1 << 20
    return size(amount) if in_bytes and amount < float("inf") else f"{amount:g}"


def _amount(name: str, amount: Amount) -> float:
    if isinstance(amount, str):
        if name != MEMORY:
            raise InputError(f"the amount of {name!r} must be a number, got {amount!r}")
        return float(parse_bytes(amount))
    return float(amount)


def check_priority(priority: int) -> int:
    """Give a priority that is a whole number."""
    try:
        return operator.index(priority)
    except TypeError:
        raise InputError(f"a priority is a whole number, got {priority!r}") from None


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Give tags that are words; one word alone is a slip for a tuple of one."""
    if isinstance(tags, str):
        raise InputError(f'tags takes a sequence: tags=("{tags}",)')
    found = tuple(tags)
    for tag in found:
        if not isinstance(tag, str):
            raise InputError(f"a tag is a word, got {tag!r}")
    return found


def check_memory(limit: int | None, limits_memory: bool) -> None:
    """Raise `InputError` for a limit of memory where the executor cannot keep one."""
    if limit is not None and not limits_memory:
        raise InputError("a memory limit needs worker processes: threads share one memory")


def check_timeout(timeout: float | None) -> float | None:
    """Give a time limit above zero."""
    if timeout is None:
        return None
    try:
        seconds = timeout + 0.0
    except TypeError:
        seconds = 0.0
    if not seconds > 0:
        raise InputError(f"timeout is a number of seconds above 0, got {timeout!r}")
    return seconds if seconds < float("inf") else None
