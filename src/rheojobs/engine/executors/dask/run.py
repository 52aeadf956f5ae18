"""A run on a cluster: where it is, and what it has said."""

from __future__ import annotations

import time
import uuid
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rheojobs.engine.executors.base import Run
from rheojobs.engine.executors.dask.file_transfer import folder_of
from rheojobs.engine.executors.remote_run import RemoteRun

if TYPE_CHECKING:
    from rheojobs.engine.executors.dask.executor import DaskExecutor
    from rheojobs.engine.executors.dask.members import ClusterWorker

__all__ = ["DaskRun"]


class DaskRun(RemoteRun):
    """A run on its way through waiting, a worker, and its end.

    Attributes
    ----------
    key : str
        Names the attempt on the cluster; whatever comes under another key is not heard.
    folder : Path or None
        Where the files of the task are, on this machine.
    worker : ClusterWorker or None
        Where it is.
    future, files : Future or None
        Dask's hold on its ending, and on the files that it was given.
    """

    def __init__(self, executor: DaskExecutor, run: Run) -> None:
        super().__init__(executor, run)
        self.key = ""
        self.folder: Path | None = folder_of(run.task)
        self.worker: ClusterWorker | None = None
        self.future: Any = None
        self.files: Any = None
        self.ended = False
        self.inbox: deque[Any] = deque()
        self.is_delivering = False

    def new_key(self) -> None:
        """Begin another attempt: what still comes of the one before is not heard any more."""
        self.key = f"{self.run.id}.{int(time.time())}-{uuid.uuid4().hex[:8]}"
