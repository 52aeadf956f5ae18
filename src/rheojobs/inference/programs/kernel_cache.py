"""Compiled programs that serve many jobs: data padded to a few lengths, kernels kept by key.

Knows nothing of fits and samplings; they put their kernels here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.dataset import Dataset

__all__ = ["KernelCache", "Observations", "bucket_length", "frozen"]

Kernel = TypeVar("Kernel")

PADDED_MODES = frozenset({"relaxation", "creep", "oscillation", "flow_curve"})
"""Test modes in which a model's value at one x does not depend on the other x."""


def bucket_length(n: int, coarse: bool = False) -> int:
    """Give the length to which `n` points are padded.

    Fine buckets, for programs that run long, have two steps to an octave up to 256 points and
    four beyond. Coarse ones are powers of two from 64 on, for programs whose compilation costs
    more than they do.
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
        The standard deviations of `y`, where the data bring them.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mask: NDArray[np.float64]
    n: int
    sigma: NDArray[np.float64] | None = None

    @property
    def smallest(self) -> NDArray[np.float64]:
        """The least size of each component that is not zero, (c, 1); 1 where there is none."""
        least = np.array([row[row > 0].min(initial=np.inf) for row in np.abs(self.y)])
        return np.where(np.isfinite(least), least, 1.0)[:, None]

    @classmethod
    def of(cls, dataset: Dataset, coarse: bool = False) -> Observations:
        """Pad a dataset to its bucket."""
        n = len(dataset)
        length = bucket_length(n, coarse) if dataset.test_mode in PADDED_MODES else n
        index = np.minimum(np.arange(length), n - 1)

        def padded(values: NDArray[Any]) -> NDArray[np.float64]:
            parts = (values.real, values.imag) if np.iscomplexobj(dataset.y) else (values,)
            return np.stack([np.asarray(part, dtype=np.float64)[index] for part in parts])

        mask = (np.arange(length) < n).astype(np.float64)
        sigma = None if dataset.sigma is None else padded(dataset.sigma)
        return cls(dataset.x[index], padded(dataset.y), mask, n, sigma)


def frozen(value: Any) -> Hashable:
    """Make a hashable key of nested mappings, sequences and numbers."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), frozen(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    return value  # type: ignore[no-any-return]


class KernelCache:
    """Keeps the most recently used kernels; builds each once, whoever asks at the same time."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._kernels: OrderedDict[Hashable, Any] = OrderedDict()
        self._building: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, build: Callable[[], Kernel]) -> Kernel:
        """Give the kernel of this key, built where there is none yet."""
        with self._lock:
            gate = self._building.setdefault(key, threading.Lock())
        with gate:
            with self._lock:
                if key in self._kernels:
                    self._kernels.move_to_end(key)
                    return self._kernels[key]  # type: ignore[no-any-return]
            kernel = build()
            with self._lock:
                self._kernels[key] = kernel
                while len(self._kernels) > self._capacity:
                    dropped, _ = self._kernels.popitem(last=False)
                    self._building.pop(dropped, None)
            return kernel

    def __len__(self) -> int:
        return len(self._kernels)
