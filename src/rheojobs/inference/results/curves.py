"""Curves over data, as arrays ready to be plotted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import parts_of

__all__ = ["Curve", "components"]


def components(y: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the components of values that are drawn: the values, or real and imaginary part."""
    return [np.asarray(part, dtype=np.float64) for part in parts_of(y)]


@dataclass(frozen=True, eq=False)
class Curve:
    """A named curve of one or two components.

    Attributes
    ----------
    name : str
        In the legend.
    x : ndarray, shape (n,)
        Ascending.
    parts : tuple of ndarray, shape (n,) each
        The components.
    """

    name: str
    x: NDArray[np.float64]
    parts: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, name: str, x: NDArray[np.float64], y: NDArray[Any]) -> Curve:
        """Make a curve of values in any order of x; complex ones become two components."""
        order = np.argsort(x, kind="stable")
        return cls(name, x[order], tuple(part[order] for part in components(y)))
