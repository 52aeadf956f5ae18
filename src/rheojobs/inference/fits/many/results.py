"""The results of many fits, made when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from rheojobs.inference.results.fit_result import FitResult

__all__ = ["FitResults"]


class FitResults(Sequence[FitResult]):
    """The results of many fits, in the order of their datasets.

    The statistics of a fit take longer than the fit itself: each result is made at its first use,
    and all of them when they are sent to another process, where they are a list.

    Parameters
    ----------
    makers : sequence of callable
        Each makes a result.
    """

    def __init__(self, makers: Sequence[Callable[[], FitResult]]) -> None:
        self._makers = tuple(makers)
        self._made: dict[int, FitResult] = {}

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, index: int) -> FitResult: ...

    @overload
    def __getitem__(self, index: slice) -> list[FitResult]: ...

    def __getitem__(self, index: int | slice) -> FitResult | list[FitResult]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [self[place] for place in places]
        if places not in self._made:
            self._made[places] = self._makers[places]()
        return self._made[places]

    def __iter__(self) -> Iterator[FitResult]:
        return (self[place] for place in range(len(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
