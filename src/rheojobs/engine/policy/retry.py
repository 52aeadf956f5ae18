"""Decides whether and when a job is started again. Pure: no threads, no clock, no I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from rheojobs.errors import InputError

__all__ = [
    "BACK_OFF",
    "LONGEST_BACK_OFF",
    "QUARANTINE",
    "TRIED_AGAIN",
    "GiveUp",
    "Retry",
    "RetryPolicy",
    "after_death",
    "after_error",
]

BACK_OFF = 0.5
"""Seconds until a job whose worker has died is started again; doubled each further time."""

LONGEST_BACK_OFF = 60.0

QUARANTINE = 3
"""Deaths of its worker after which a job is only started again on request."""

TRIED_AGAIN = "failed, and is tried again"
"""The beginning of the message of a job that waits to be started again after an error."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The job is started again, in `after` seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The job is not started again; `why` is appended to the error's message, and may be empty."""

    why: str = ""


@dataclass(frozen=True, init=False)
class RetryPolicy:
    """Which exceptions of a task start its job again, how often, and after how long.

    Parameters
    ----------
    on : exception type or iterable of exception types
        The types after which to retry, such as ``OSError``, including subclasses. A name
        ``"package.module:Name"`` denotes a type without importing it.
    attempts : int
        How often the task is started at most, including the first time.
    delay : float
        Seconds until the second attempt.
    factor : float
        The factor by which the delay grows from one attempt to the next.
    longest : float
        The longest delay in seconds.

    Examples
    --------
    >>> RetryPolicy(OSError, attempts=5, delay=10.0)  # 10, 20, 40 and 80 s
    RetryPolicy(on=('builtins:OSError',), attempts=5, delay=10.0, factor=2.0, longest=3600.0)
    """

    on: tuple[str, ...]
    attempts: int
    delay: float
    factor: float
    longest: float

    def __init__(
        self,
        on: type[BaseException] | str | Iterable[type[BaseException] | str] = Exception,
        *,
        attempts: int = 3,
        delay: float = 1.0,
        factor: float = 2.0,
        longest: float = 3600.0,
    ) -> None:
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise InputError(f"attempts is a whole number above 0, got {attempts!r}")
        types = (on,) if isinstance(on, type | str) else tuple(on)
        # The class is frozen, so that the policy of a job cannot change.
        object.__setattr__(self, "on", tuple(map(_type_name, types)))
        object.__setattr__(self, "attempts", attempts)
        for name, value, least in (
            ("delay", delay, 0.0),
            ("factor", factor, 1.0),
            ("longest", longest, 0.0),
        ):
            if not isinstance(value, int | float) or not least <= value < math.inf:
                raise InputError(f"{name} is a number of at least {least:g}, got {value!r}")
            object.__setattr__(self, name, float(value))

    def covers(self, error: BaseException) -> bool:
        """Return whether `error` is of one of the types."""
        return not set(self.on).isdisjoint(map(_type_name, type(error).__mro__[:-1]))

    def seconds(self, attempts: int) -> float:
        """Return the delay in seconds after a number of attempts."""
        return min(self.delay * self.factor ** min(attempts - 1, 1000), self.longest)

    def to_json(self) -> dict[str, Any]:
        """Return the policy as JSON."""
        names = ("on", "attempts", "delay", "factor", "longest")
        return {name: getattr(self, name) for name in names} | {"on": list(self.on)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the policy that `to_json` has described; imports nothing."""
        return cls(**content)


def _type_name(kind: type[BaseException] | str) -> str:
    if isinstance(kind, str) and kind.count(":") == 1:
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return f"{kind.__module__}:{kind.__qualname__}"
    raise InputError(f"retry takes exception types, got {kind!r}")


def after_death(
    *, attempts: int, max_attempts: int, deaths: int, has_begun: bool, is_prewarming: bool = False
) -> Retry | GiveUp:
    """Decide whether to retry a job whose worker has died.

    A worker that dies before the task has begun costs no attempt, since most often another job was
    the cause. It counts as a death all the same: unpickling a task may kill the process.

    Parameters
    ----------
    attempts, max_attempts : int
        How often the task was started, and may be started.
    deaths : int
        How often a worker of the job has died, including this time.
    has_begun : bool
        Whether the task had begun.
    is_prewarming : bool
        Whether the job only prepares a worker.
    """
    if attempts >= max_attempts if has_begun else is_prewarming:
        return GiveUp()
    if deaths >= QUARANTINE:
        return GiveUp(f"its worker has died {deaths} times, and it is not started again")
    return Retry(min(BACK_OFF * 2.0 ** (deaths - 1), LONGEST_BACK_OFF))


def after_error(error: BaseException, attempts: int, policy: RetryPolicy | None) -> Retry | GiveUp:
    """Decide whether to retry a job whose task has raised `error` in attempt number `attempts`."""
    if policy is None or not policy.covers(error):
        return GiveUp()
    if attempts >= policy.attempts:
        return GiveUp(f"after {attempts} attempts" if attempts > 1 else "")
    return Retry(policy.seconds(attempts))
