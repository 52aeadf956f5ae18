"""Results that are in the store and not in memory: read when they are asked for.

They can be read after the engine was shut down.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store.reader import StoreReader

__all__ = ["Spilled", "resolved", "spilled"]


@dataclass(frozen=True, slots=True)
class Spilled:
    """Stands for the result of a job.

    Attributes
    ----------
    path : Path
        The store.
    job_id : str
        The job.
    """

    path: Path
    job_id: str

    def load(self) -> Any:
        """Read the result; `InputError` where it was removed from the store meanwhile."""
        with contextlib.closing(StoreReader(self.path)) as reader:
            return reader.result(self.job_id)


def spilled(result: Any, store: StoreReader, job_id: str, least: float) -> Any:
    """Give what stands for a result that is in the store, where it is large; else the result."""
    try:
        size = store.result_bytes(job_id)
    except StoreError:  # it fails at present: the result is nowhere else
        return result
    return Spilled(store.path, job_id) if size > least else result


def resolved(value: Any) -> Any:
    """Give a result, read from the store where it is there."""
    return value.load() if isinstance(value, Spilled) else value
