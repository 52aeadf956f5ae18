"""Checks of the options of a job: its resources, limits, priority and times."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite
from typing import Protocol

from rheojobs.engine.policy.retry import RetryPolicy
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.sizes import parse_bytes, size
from rheojobs.errors import InputError, nearest

__all__ = [
    "MEMORY",
    "check_attempts",
    "check_memory",
    "check_movable",
    "check_not_before",
    "check_priority",
    "check_retry",
    "check_tags",
    "check_timeout",
    "needs_again",
    "needs_of",
    "storable_text",
    "total_resources",
]

MEMORY = "memory"
"""The resource that a job's memory limit takes, if the engine has it."""

_TAG = "tag:"

Amount = float | str


class Movable(Protocol):
    """The attributes that are checked of a job that will run on another executor."""

    name: str
    needs: Mapping[str, float]
    memory: int | None
    dispatched: bool
    is_prewarming: bool


def total_resources(
    capacity: int, resources: Mapping[str, Amount] | None, limits: Mapping[str, int] | None
) -> dict[str, float]:
    """Return the total of each resource; a limit on a tag is a resource too."""
    total = {WORKER: float(capacity)}
    for name, amount in (resources or {}).items():
        total[name] = _amount(name, amount)
        if not 0 <= total[name] < float("inf"):
            raise InputError(
                f"the resource {name!r} must be a finite amount of at least 0, got {amount!r}"
            )
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
    """Return the resources that a job needs, including its worker and its tags.

    Raises
    ------
    InputError
        If a resource is unknown, or the total of it is too small.
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
                f"the job needs {_shown(name, number, total)} of {name!r}, "
                f"there is {_shown(name, total[name], total)}"
            )
    if needs[WORKER] < 1:
        raise InputError(f"a job needs at least 1 {WORKER!r}, got {needs[WORKER]:g}")
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
    """Return the needs of a job of the store in this engine, whose limits may have changed."""
    derived = {MEMORY} if memory is not None else set()
    wanted = {
        name: amount
        for name, amount in before.items()
        if name not in derived and not name.startswith(_TAG)
    }
    return needs_of(wanted, total, tags, memory)


def _shown(name: str, amount: float, total: Mapping[str, float]) -> str:
    """Return an amount as text; memory with a unit."""
    in_bytes = name == MEMORY and max(amount, total[name]) >= 1 << 20
    return size(amount) if in_bytes and amount < float("inf") else f"{amount:g}"


def _amount(name: str, amount: Amount) -> float:
    if isinstance(amount, str):
        if name != MEMORY:
            raise InputError(f"the amount of {name!r} must be a number, got {amount!r}")
        return float(parse_bytes(amount))
    return float(amount)


MOST_PRIORITY = 1_000_000
"""The highest priority; a level is worth ten minutes of waiting, so it is worth 19 years."""


def check_priority(priority: int) -> int:
    """Return a priority as a whole number, limited to ± `MOST_PRIORITY`."""
    try:
        return max(-MOST_PRIORITY, min(operator.index(priority), MOST_PRIORITY))
    except TypeError:
        raise InputError(f"priority must be a whole number, got {priority!r}") from None


def storable_text(text: str) -> str:
    """Return text that UTF-8 can encode: undecodable bytes of a file name become ``\\udcfc``."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def check_attempts(attempts: int) -> int:
    """Return a number of attempts; raise `InputError` unless it is whole and above zero."""
    try:
        number = operator.index(attempts)
    except TypeError:
        number = 0
    if number < 1:
        raise InputError(f"max_attempts must be a whole number above 0, got {attempts!r}")
    return min(number, 1_000_000)


def check_retry(retry: RetryPolicy | None) -> RetryPolicy | None:
    """Return a retry policy; raise `InputError` for anything else."""
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise InputError(f"retry takes a RetryPolicy, got {retry!r}")
    return retry


def check_not_before(when: datetime | float | None) -> float | None:
    """Return a time in seconds since the epoch; a `datetime` without a zone is local time."""
    if when is None:
        return None
    seconds = when.timestamp() if isinstance(when, datetime) else when
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isfinite(seconds):
        raise InputError(
            f"not_before must be a datetime or a number of seconds since the epoch, got {when!r}"
        )
    return float(seconds)


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as a tuple; raise `InputError` for a single string, which is a mistake."""
    if isinstance(tags, str):
        raise InputError(f'tags takes a sequence: tags=("{tags}",)')
    found = tuple(tags)
    for tag in found:
        if not isinstance(tag, str):
            raise InputError(f"a tag must be a non-empty text, got {tag!r}")
    return found


def check_memory(limit: int | None, limits_memory: bool) -> None:
    """Raise `InputError` for a memory limit if the executor cannot enforce it."""
    if limit is not None and not limits_memory:
        raise InputError("a memory limit needs worker processes: threads share one memory")


def check_timeout(timeout: float | None) -> float | None:
    """Return a time limit; raise `InputError` unless it is above zero."""
    if timeout is None:
        return None
    try:
        seconds = timeout + 0.0
    except TypeError:
        seconds = 0.0
    if not seconds > 0:
        raise InputError(f"timeout must be a number of seconds above 0, got {timeout!r}")
    return seconds if seconds < float("inf") else None


def check_movable(jobs: Iterable[Movable], there: Mapping[str, float], limits_memory: bool) -> None:
    """Raise `InputError` if the active jobs cannot run on another executor.

    Parameters
    ----------
    jobs : iterable
        The jobs.
    there : mapping of str to float
        Its total of each resource that executors, and not users, provide.
    limits_memory : bool
        Whether it enforces memory limits.
    """
    jobs = list(jobs)
    running = sum(job.dispatched and not job.is_prewarming for job in jobs)
    if running:
        many = "1 job runs" if running == 1 else f"{running} jobs run"
        raise InputError(f"{many} still: wait until all have ended, or cancel them")
    for job in jobs:
        for name, amount in there.items():
            if (wanted := job.needs.get(name, 0.0)) > amount:
                what = "workers, there are" if name == WORKER else f"of {name!r}, there is"
                raise InputError(f"{job.name!r} needs {wanted:g} {what} {amount:g} there")
    if not limits_memory and any(job.memory is not None for job in jobs):
        raise InputError("a waiting job has a memory limit, which is not enforced there")
