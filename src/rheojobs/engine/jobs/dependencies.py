"""Results of jobs as arguments of other jobs, filled in just before the latter start."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rheojobs.engine.store.spilling import resolved
from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.engine.jobs.job import Job
    from rheojobs.engine.task import Task

__all__ = ["ResultOf", "fill_in", "results_wanted"]


class ResultOf:
    """Placeholder for a job's result, or a part of it, in the arguments of another job.

    It may be an argument of a function or a field of a task that is a dataclass, also inside
    lists, tuples and mappings there. The job that holds it waits for the other, as with `after`.

    Parameters
    ----------
    job : Job
        The job whose result is used.
    part : str, optional
        An attribute of the result, or a key if it is a mapping.

    Examples
    --------
    >>> fit = engine.submit(FitTask("maxwell", data))  # doctest: +SKIP
    >>> engine.submit(SampleTask("maxwell", data, warm_start=ResultOf(fit, "parameters")))
    ... # doctest: +SKIP
    """

    def __init__(self, job: Job, part: str = "") -> None:
        self.job = job
        self.part = part

    def __repr__(self) -> str:
        return f"ResultOf({self.job!r}{f', {self.part!r}' if self.part else ''})"

    def __reduce__(self) -> Any:
        raise TypeError(
            "a ResultOf must be in a function's arguments or a dataclass's fields, or in "
            "lists, tuples and mappings there; this one is elsewhere"
        )

    def get(self) -> Any:
        """Return the result of the job, which has succeeded, or a part of it."""
        result = resolved(self.job.result_or_ref)
        if not self.part:
            return result
        try:
            if isinstance(result, Mapping):
                return result[self.part]
            return getattr(result, self.part)
        except (KeyError, AttributeError) as error:
            raise InputError(
                f"the result of {self.job.name!r}, a {type(result).__name__}, has no {self.part!r}"
            ) from error


def results_wanted(task: Task) -> list[ResultOf]:
    """Return the placeholders in a task."""
    return [found for value in _fields(task).values() for found in _find(value)]


def fill_in(task: Task) -> Task:
    """Return a copy of a task with results in place of placeholders; the task if it has none."""
    changed = {
        name: _map(value, ResultOf.get)
        for name, value in _fields(task).items()
        if any(True for _ in _find(value))
    }
    if not changed:
        return task
    filled = copy.copy(task)
    for name, value in changed.items():
        object.__setattr__(filled, name, value)  # the class may be frozen
    return filled


def _fields(task: object) -> dict[str, Any]:
    return {name: getattr(task, name, None) for name in _field_names(type(task))}  # type: ignore[arg-type]


@functools.lru_cache(maxsize=256)
def _field_names(kind: type) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(field.name for field in dataclasses.fields(kind))


def _find(value: Any) -> Iterator[ResultOf]:
    if isinstance(value, ResultOf):
        yield value
    elif type(value) in (list, tuple):
        for item in value:
            yield from _find(item)
    elif type(value) is dict:
        for item in value.values():
            yield from _find(item)


def _map(value: Any, function: Callable[[ResultOf], Any]) -> Any:
    if isinstance(value, ResultOf):
        return function(value)
    if type(value) in (list, tuple):
        return type(value)(_map(item, function) for item in value)
    if type(value) is dict:
        return {key: _map(item, function) for key, item in value.items()}
    return value
