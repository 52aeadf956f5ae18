"""Application side: one run on a cluster, and where it is."""

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
    """A run from waiting through its worker to its end.

    Parameters
    ----------
    executor : object
        Cancels the run and sends requests about it, as `RemoteRun` asks for.
    run : Run
        The attempt at the task.

    Attributes
    ----------
    key : str
        Names the attempt on the cluster; events under another key are ignored.
    folder : Path or None
        Where the files of the task are, on this machine.
    worker : ClusterWorker or None
        Where it runs.
    future, files : Future or None
        Dask's references to its ending, and to the files that were sent to its worker.
    connection : object
        The connection to the scheduler under which it was sent.
    ended : bool
        Whether its worker is free of it.
    inbox : deque
        What has come about it and is not handled yet.
    is_handling : bool
        Whether its inbox is being handled.
    is_settled : bool
        Whether the message that ends it was put in line for the engine.
    is_faulty : bool
        Whether the engine could not take in one of its messages; it gets no more.
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
        """Begin another attempt: what still comes of the one before is ignored."""
        self.key = f"{self.run.id}.{int(time.time())}-{uuid.uuid4().hex[:8]}"
