"""The files of a batch, each hashed and parsed once for all models that it is fitted with.

Must not know models, jobs or results.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path

from rheojobs.inference.batch.plan import BatchItem
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.programs.kernel_cache import frozen

__all__ = ["BatchFiles"]


class BatchFiles:
    """What is in the files of a batch.

    Parameters
    ----------
    capacity : int
        How many datasets are kept: a batch goes through its files one after another, and there
        may be more of them than memory holds.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._digests: dict[Path, str] = {}
        self._datasets: OrderedDict[Hashable, Dataset] = OrderedDict()

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's bytes."""
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._digests[path]

    def dataset(self, item: BatchItem) -> Dataset:
        """Read the data of an item, in the way that its plan says."""
        key = (item.file, frozen(item.data))
        if key not in self._datasets:
            self._datasets[key] = read(item.file, **item.data)
        self._datasets.move_to_end(key)
        while len(self._datasets) > self._capacity:
            self._datasets.popitem(last=False)
        return self._datasets[key]
