"""What each worker of a Dask cluster does once, before it has a task: its imports.

Dask itself hands it to the workers that come later. Imports Dask, and is imported only with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distributed import WorkerPlugin

from rheojobs.engine.executors.dask import worker_side

__all__ = ["Preparation"]


class Preparation(WorkerPlugin):
    """Has a worker import on a thread what its first task would have to wait for.

    Parameters
    ----------
    preload : sequence of str
        Functions ``"package.module:function"``.
    """

    idempotent = True

    def __init__(self, preload: Sequence[str]) -> None:
        self.preload = tuple(preload)
        self.name = f"rheojobs {' '.join(self.preload)}"

    def setup(self, worker: Any) -> None:
        """Begin; called by Dask, in the worker's event loop."""
        worker_side.begin_preload(self.preload)
