"""Pad datasets to one of a few lengths, with a mask, for compiled programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import evenly, parts_of
from rheojobs.inference.data.dataset import Dataset

__all__ = [
    "PADDED_MODES",
    "Observations",
    "bucket_length",
    "is_in_pieces",
    "shown_indices",
]

PADDED_MODES = frozenset({"relaxation", "creep", "oscillation", "flow_curve"})
"""Test modes in which a model's value at one x does not depend on the other x."""

LARGE = 8192
"""More data than these are fitted in pieces: they are not copied, nor padded."""

SHOWN = 2048
"""How many of them stand for all where these are too many at a time."""


def is_in_pieces(n: int, test_mode: str | None) -> bool:
    """Whether a fit takes so many data of a test in pieces."""
    return n > LARGE and test_mode in PADDED_MODES


def shown_indices(n: int) -> NDArray[np.int64]:
    """Return the indices of the data that stand for all n where these are in pieces."""
    return evenly(n, SHOWN)


def bucket_length(n: int, coarse: bool = False) -> int:
    """Return the length to which `n` points are padded.

    Fine buckets, for programs that run long, have two steps per octave up to 256 points and
    four beyond. Coarse ones are powers of two from 64 on, for programs that take longer to
    compile than to run.
    """
    if coarse:
        return max(64, 1 << (n - 1).bit_length())
    octave = 1 << max(0, n.bit_length() - 1)
    step = max(16, octave // (2 if n <= 256 else 4))
    return -(-n // step) * step


@dataclass(frozen=True, eq=False)
class Observations:
    """A dataset as compiled programs take it.

    Attributes
    ----------
    x : ndarray, shape (b,)
        The independent variable; beyond the data its last value is repeated.
    y : ndarray, shape (c, b)
        The observed components: one, or the real and the imaginary part.
    mask : ndarray, shape (b,)
        1 at data, 0 at padding.
    n : int
        The number of data points.
    sigma : ndarray, shape (c, b), or None
        The standard deviations of `y`, if the data have them.
    is_in_pieces : bool
        Whether a fit takes the data in pieces.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mask: NDArray[np.float64]
    n: int
    sigma: NDArray[np.float64] | None = None
    is_in_pieces: bool = False

    @property
    def smallest(self) -> NDArray[np.float64]:
        """The least nonzero size of each component, (c, 1); 1 if all are zero."""
        least = np.array([row[row > 0].min(initial=np.inf) for row in np.abs(self.y)])
        return np.where(np.isfinite(least), least, 1.0)[:, None]

    @property
    def shown(self) -> NDArray[np.int64]:
        """The indices of the data that stand for all where these are too many at a time."""
        return shown_indices(self.n) if self.is_in_pieces else np.arange(self.n)

    @classmethod
    def of(cls, dataset: Dataset, coarse: bool = False) -> Observations:
        """Pad a dataset to its bucket."""
        n = len(dataset)
        if coarse and is_in_pieces(n, dataset.test_mode):
            sigma = None if dataset.sigma is None else _rows(dataset.sigma)
            return cls(dataset.x, _rows(dataset.y), np.broadcast_to(1.0, n), n, sigma, True)
        length = bucket_length(n, coarse) if dataset.test_mode in PADDED_MODES else n
        index = np.minimum(np.arange(length), n - 1)

        def padded(values: NDArray[Any]) -> NDArray[np.float64]:
            return np.stack(
                [np.asarray(part, dtype=np.float64)[index] for part in parts_of(values)]
            )

        mask = (np.arange(length) < n).astype(np.float64)
        sigma = None if dataset.sigma is None else padded(dataset.sigma)
        return cls(dataset.x[index], padded(dataset.y), mask, n, sigma)


def _rows(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return values as real rows, shape (c, n), without a copy."""
    if np.iscomplexobj(values):
        pairs: NDArray[np.float64] = np.ascontiguousarray(values).view(np.float64).reshape(-1, 2)
        return pairs.T
    return np.asarray(values, dtype=np.float64)[None]
