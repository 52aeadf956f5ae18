"""Worker side: a Dask plugin that runs a worker's preload before its first task.

Dask also installs it on workers that join later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distributed import WorkerPlugin

from rheojobs.engine.executors.dask import worker_side

__all__ = ["Preparation"]


class Preparation(WorkerPlugin):
    """Runs the preload of a worker on a thread.

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
        """Start the thread; called by Dask, in the worker's event loop."""
        worker_side.begin_preload(self.preload)
