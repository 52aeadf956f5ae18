"""A cache in memory of compiled programs by key, shared by all jobs of a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

__all__ = ["KernelCache", "frozen"]

Kernel = TypeVar("Kernel")


def frozen(value: Any) -> Hashable:
    """Return a hashable key of nested mappings, sequences, arrays, numbers and words.

    Raises
    ------
    TypeError
        If a value has another type, which the message names.
    """
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), frozen(item)) for key, item in value.items()))
    if hasattr(value, "tolist"):
        return frozen(value.tolist())
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    if value is None or isinstance(value, bool | int | float | str):
        # 1, 1.0 and True are equal, and would share an entry.
        return (type(value).__name__, value)
    raise TypeError(type(value).__name__)


class KernelCache:
    """Keeps the most recently used kernels; builds each once, even for concurrent callers."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._kernels: OrderedDict[Hashable, Any] = OrderedDict()
        self._building: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, build: Callable[[], Kernel]) -> Kernel:
        """Return the kernel of this key; build it if there is none yet."""
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
