"""Application side: one run on a cluster."""

from __future__ import annotations

import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any

from rheojobs.engine.executors.base import Run
from rheojobs.engine.executors.dask.file_transfer import folder_of
from rheojobs.engine.executors.dask.members import ClusterWorker
from rheojobs.engine.executors.remote_run import RemoteRun

__all__ = ["DaskRun"]


class DaskRun(RemoteRun):
    """A run, from its wait for a worker to its end.

    Parameters
    ----------
    executor : object
        Cancels the run and sends requests about it, as `RemoteRun` requires.
    run : Run
        The attempt at the task.

    Attributes
    ----------
    key : str
        Names the attempt on the cluster; events under another key are ignored.
    folder : Path or None
        The folder of the task's files, on this machine.
    worker : ClusterWorker or None
        The worker on which it runs.
    future, files : Future or None
        Dask's futures of its ending, and of the files that were sent to its worker.
    connection : object
        The connection to the scheduler through which it was sent.
    ended : bool
        Whether its worker has been released.
    inbox : deque
        Events, futures and messages of it that are not handled yet.
    is_handling : bool
        Whether its inbox is being handled.
    is_settled : bool
        Whether its last message was queued for the engine.
    is_faulty : bool
        Whether the engine failed to process one of its messages; it receives no more.
    """

    def __init__(self, executor: Any, run: Run) -> None:
        super().__init__(executor, run)
        self.key = ""
        self.folder: Path | None = folder_of(run.task)
        self.worker: ClusterWorker | None = None
        self.future: Any = None
        self.files: Any = None
        self.connection: Any = None
        self.ended = False
        self.inbox: deque[Any] = deque()
        self.is_handling = False
        self.is_settled = False
        self.is_faulty = False

    def new_key(self) -> None:
        """Begin another attempt: later events of the previous one are ignored."""
        self.key = f"{self.run.id}.{int(time.time())}-{uuid.uuid4().hex[:8]}"
