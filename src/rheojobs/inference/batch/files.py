"""Hash and parse the files of a batch, each once for all models fitted to it."""

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
    """The contents of the files of a batch.

    Parameters
    ----------
    capacity : int
        How many datasets are held in memory, since there may be more files than fit in it.
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
        """Read the data of an item with the options of its plan."""
        key = (item.file, frozen(item.data))
        if key not in self._datasets:
            self._datasets[key] = read(item.file, **item.data)
        self._datasets.move_to_end(key)
        while len(self._datasets) > self._capacity:
            self._datasets.popitem(last=False)
        return self._datasets[key]
