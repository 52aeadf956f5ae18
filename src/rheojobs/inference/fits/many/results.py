"""The results of many fits, made when they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, overload

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.records import pack, unpack

__all__ = ["FitResults", "Made", "Maker"]


class Maker(Protocol):
    """Makes a result, and has its parameters beforehand."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """The estimates."""
        ...

    def __call__(self) -> FitResult:
        """Make the result."""
        ...


@dataclass(frozen=True)
class Made:
    """A result that is made."""

    result: FitResult

    @property
    def parameters(self) -> Mapping[str, float]:
        """The estimates."""
        return self.result.parameters

    def __call__(self) -> FitResult:
        """Return the result."""
        return self.result


class FitResults(Sequence[FitResult]):
    """The results of many fits, in the order of their datasets.

    The statistics of a fit take longer than the fit itself: each result is made at its first use,
    and all of them when they are sent to another process or stored.

    Parameters
    ----------
    makers : sequence of Maker
        Each makes a result.
    """

    is_result: ClassVar[bool] = True

    def __init__(self, makers: Sequence[Maker]) -> None:
        self._makers = list(makers)

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
        maker = self._makers[places]
        if not isinstance(maker, Made):
            maker = self._makers[places] = Made(maker())
        return maker.result

    def __iter__(self) -> Iterator[FitResult]:
        return (self[place] for place in range(len(self)))

    @property
    def parameters(self) -> dict[str, NDArray[np.float64]]:
        """The estimates of all fits by name, shape (k,) each; no result is made for them."""
        rows = [maker.parameters for maker in self._makers]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    @classmethod
    def of(cls, results: Iterable[FitResult]) -> Self:
        """Return results that are made."""
        return cls([Made(result) for result in results])

    def __reduce__(self) -> tuple[Any, ...]:
        return FitResults.of, (list(self),)

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the results as JSON and arrays, for the store of jobs."""
        return pack({"fits": [result.as_dict() for result in self]})

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return what `to_record` has described."""
        return cls.of(FitResult(**fields) for fields in unpack(content, blobs)["fits"])
