"""A run on a cluster: where it is, what was said about it, and what it has said."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from rheojobs.engine.executors.base import Run, RunControl
from rheojobs.engine.executors.process_run import RELEASE_GRACE
from rheojobs.engine.task import task_affinity

if TYPE_CHECKING:
    from rheojobs.engine.executors.dask import DaskExecutor

__all__ = ["ClusterWorker", "DaskRun"]


class ClusterWorker:
    """A worker of the cluster, as far as it works for us.

    Attributes
    ----------
    address : str
        Its name on the cluster.
    has_nanny : bool
        Whether another takes its place when it is killed.
    run : DaskRun or None
        What it does for us; it is free when that has ended, not when somebody gives it up.
    """

    def __init__(self, address: str, has_nanny: bool) -> None:
        self.address = address
        self.has_nanny = has_nanny
        self.run: DaskRun | None = None
        self.affinities: set[str] = set()
        self.used_at = 0.0


class DaskRun(RunControl):
    """A run on its way through waiting, a worker, and its end."""

    def __init__(self, executor: DaskExecutor, run: Run) -> None:
        self._executor = executor
        self.run = run
        self.affinity = task_affinity(run.task)
        self.worker: ClusterWorker | None = None
        self.future: Any = None
        self.grace = math.inf
        self.timer: threading.Timer | None = None
        self.sent = False
        self.unsent: list[str] = []
        self.started = False
        self.sent_before = False
        self.stoppable = True
        self.abandoned = False
        self.ended = False
        self.inbox: deque[Any] = deque()
        self.is_delivering = False

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop: then it has but so long for it."""
        return self.grace < math.inf

    def cancel(self) -> None:
        self._executor.cancel(self)

    def release(self) -> None:
        self._executor.cancel(self, RELEASE_GRACE)

    def pause(self) -> None:
        self._executor.send(self, "pause")

    def resume(self) -> None:
        self._executor.send(self, "resume")

    def inspect(self) -> None:
        self._executor.send(self, "inspect")
