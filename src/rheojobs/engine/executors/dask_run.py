"""A run on a cluster: where it is, and what it has said."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rheojobs.engine.executors.base import Run
from rheojobs.engine.executors.remote_run import RemoteRun

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
        What it does for us.
    is_condemned : bool
        Whether it is being killed.
    """

    def __init__(self, address: str, has_nanny: bool) -> None:
        self.address = address
        self.has_nanny = has_nanny
        self.run: DaskRun | None = None
        self.is_condemned = False
        self.affinities: set[str] = set()
        self.used_at = 0.0

    @property
    def is_free(self) -> bool:
        """Whether its task has ended, not whether somebody gave that up; and it will live."""
        return self.run is None and not self.is_condemned


class DaskRun(RemoteRun):
    """A run on its way through waiting, a worker, and its end."""

    def __init__(self, executor: DaskExecutor, run: Run) -> None:
        super().__init__(executor, run)
        self.worker: ClusterWorker | None = None
        self.future: Any = None
        self.ended = False
        self.inbox: deque[Any] = deque()
        self.is_delivering = False
