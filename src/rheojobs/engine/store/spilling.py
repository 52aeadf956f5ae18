"""Results that are only in the store, not in memory, and are read on demand.

They can be read even after the engine was shut down.
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
    """Placeholder for the result of a job in a store.

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
        """Return the result; raise `InputError` if it was removed from the store meanwhile."""
        with contextlib.closing(StoreReader(self.path)) as reader:
            return reader.result(self.job_id)


def spilled(result: Any, store: StoreReader, job_id: str, least: float) -> Any:
    """Return a placeholder for a result in the store, if it is large; else the result itself."""
    try:
        size = store.result_bytes(job_id)
    except StoreError:  # the store fails at present, so the result must stay in memory
        return result
    return Spilled(store.path, job_id) if size > least else result


def resolved(value: Any) -> Any:
    """Return a result, read from the store if it was spilled."""
    return value.load() if isinstance(value, Spilled) else value
