"""Application side: which runs wait, which worker has which run, and which run goes where next.

No threads, no I/O; the caller holds the executor's lock.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from rheojobs.engine.executors.dask.held import HeldRunInfo, job_of
from rheojobs.engine.executors.dask.members import ClusterWorker, Members
from rheojobs.engine.executors.dask.run import DaskRun
from rheojobs.engine.policy.scheduler import WORKER

__all__ = ["Assignment"]


class Assignment:
    """The runs that have not ended, and the workers of the cluster.

    Parameters
    ----------
    topic : str
        The topic of this application's events; it distinguishes its runs from those of others.

    Attributes
    ----------
    capacity : int
        How many runs may be on workers at a time.
    members : Members
        The workers.
    runs : dict of str to DaskRun
        Those that have not ended, by the id of their job.
    is_stale : bool
        Whether the workers are not known as they are now.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._waiting: deque[DaskRun] = deque()
        self._orphans: set[str] = set()  # keys of runs that were lost with the connection
        self._grows = True
        self.capacity = 0
        self.members = Members()
        self.runs: dict[str, DaskRun] = {}
        self.is_stale = False

    def begin(self, known: Mapping[str, Any], capacity: int | None) -> None:
        """Record the workers, as Dask's scheduler describes them, for the first time.

        Parameters
        ----------
        capacity : int or None
            How many runs may be on workers at a time; None for as many as there are workers.
        """
        self.members.update(known)
        self.members.growth()
        self.capacity = len(self.members) if capacity is None else capacity
        self._grows = capacity is None

    def update(
        self, known: Mapping[str, Any], found: Mapping[str, Iterable[HeldRunInfo]]
    ) -> dict[str, float]:
        """Record the workers and the runs on them; return the resources beyond the past maximum."""
        self.members.update(known)
        self.record(found)
        self.is_stale = False
        more = self.members.growth()
        if not self._grows:
            more.pop(WORKER, None)
        self.capacity += int(more.get(WORKER, 0))
        return more

    def record(self, found: Mapping[str, Iterable[HeldRunInfo]]) -> None:
        """Record the runs that were found on workers."""
        current = {control.key for control in self.runs.values()}
        self.members.record_runs(found, current, self._topic, self._orphans)

    def add(self, control: DaskRun) -> None:
        """Queue a run until a worker is free."""
        self.runs[control.run.id] = control
        self._waiting.append(control)

    def withdraw(self, control: DaskRun) -> bool:
        """Remove a waiting run; return False if it did not wait."""
        if control not in self._waiting:
            return False
        self._waiting.remove(control)
        return True

    def next_found(self) -> tuple[DaskRun, ClusterWorker] | None:
        """Return a waiting run that some worker already has, and that worker: they are joined."""
        for control in self._waiting:
            if (found := self.members.claim_run(control.run.id)) is not None:
                info, worker = found
                self._waiting.remove(control)
                self._orphans.discard(info.key)
                control.key, control.worker = info.key, worker
                if not info.has_ended:
                    worker.key, worker.is_occupied = info.key, False
                return control, worker
        return None

    def next_pair(self) -> tuple[DaskRun, ClusterWorker] | None:
        """Return the next waiting run for which a worker is free, and that worker: both joined."""
        if self.members.busy_count() >= self.capacity:
            return None
        for control in self._waiting:
            if (worker := self.members.choose(control.run, control.affinity)) is not None:
                self._waiting.remove(control)
                control.new_key()
                worker.key, control.worker = control.key, worker
                if control.affinity:
                    worker.affinities.add(control.affinity)
                return control, worker
        return None

    def put_back(self, control: DaskRun, worker: ClusterWorker) -> None:
        """Queue a run again whose worker turned out not to have it."""
        if worker.key == control.key:
            worker.key = ""
        control.worker = None
        self._waiting.append(control)

    def end(self, control: DaskRun, is_lost: bool) -> None:
        """Separate a run from its worker, which becomes free.

        Parameters
        ----------
        is_lost : bool
            Whether the run was lost with the connection, so that its task may still run there.
        """
        control.ended = True
        self.runs.pop(control.run.id, None)
        worker, control.worker = control.worker, None
        if is_lost:
            self._orphans.add(control.key)
        if worker is None:
            return
        worker.note_end(control.key)
        worker.used_at = time.monotonic()
        if worker.key == control.key:
            worker.key, worker.is_occupied = "", is_lost

    def run_of(self, key: str) -> DaskRun | None:
        """Return the run of that key, if it has not ended."""
        control = self.runs.get(job_of(key))
        return control if control is not None and control.key == key else None

    def remove_worker(self, address: str) -> DaskRun | None:
        """Remove a worker that has left, and return the run that it had."""
        worker = self.members.remove(address)
        return None if worker is None else self.run_of(worker.key)

    def sent_before(self, connection: object) -> list[DaskRun]:
        """Return the runs on workers that were sent under an older connection than this one."""
        runs = [self.run_of(worker.key) for worker in self.members.all()]
        return [run for run in runs if run and run.sent and run.connection is not connection]

    def lose_workers(self, for_good: bool) -> list[DaskRun]:
        """Remove all workers; return the runs that they had, or all if there will be no other."""
        lost = [self.run_of(worker.key) for worker in self.members.clear()]
        if for_good:
            self._waiting.clear()
            return list(self.runs.values())
        return [control for control in lost if control is not None]
