"""Application side: the workers of a cluster, the resources of each, and its run.

Pure except for `ClusterWorker.gone`, which Dask's event loop waits for. The caller holds the
executor's lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Iterable, Mapping
from typing import Any

from rheojobs.engine.executors.base import Run, WorkerInfo
from rheojobs.engine.executors.dask.held import HeldRunInfo, job_of
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.sizes import size
from rheojobs.engine.validation import MEMORY

__all__ = ["ClusterWorker", "Members"]

HELD_SECONDS = 5.0
"""Seconds for which a worker holds the ending of a run, while the store here writes it."""

IDLE_SECONDS = 30.0
"""Seconds after which endings are acknowledged even if no new task is sent."""


class ClusterWorker:
    """A worker of the cluster.

    Parameters
    ----------
    address : str
        Its address on the cluster.
    about : mapping
        Its description by Dask's scheduler.

    Attributes
    ----------
    nanny : str
        The address of its nanny, which restarts it when it is killed; empty if it has none.
    resources : dict of str to float
        Declared at its start (``dask worker --resources "GPU=2"``), by the name in lower case.
    memory : int
        Bytes that it may hold; 0 if there is no limit.
    key : str
        The key of this application's run on it; empty if there is none.
    is_leaving : bool
        Whether it is being killed, or is leaving by itself.
    gone : asyncio.Event
        Set when it has left the cluster; only Dask's event loop waits for it.
    is_occupied : bool
        Whether it works on a run that is not, or no longer, one of this application.
    """

    def __init__(self, address: str, about: Mapping[str, Any]) -> None:
        self.address = address
        self.nanny = str(about.get("nanny") or "")
        self._declared: dict[str, float] = dict(about.get("resources") or {})
        self.resources = {name.lower(): amount for name, amount in self._declared.items()}
        self.memory = int(about.get("memory_limit") or 0)
        self.key = ""
        self.is_leaving = False
        self.gone = asyncio.Event()
        self.is_occupied = False
        self.affinities: set[str] = set()
        self.used_at = 0.0
        self._ended: list[tuple[float, str]] = []

    @property
    def is_free(self) -> bool:
        """Whether no task of any application runs on it, and it is not leaving."""
        return not self.key and not self.is_leaving and not self.is_occupied

    def can_take(self, run: Run, declared: Iterable[str]) -> bool:
        """Return whether it has the resources that a run needs and the cluster declares."""
        if run.memory is not None and 0 < self.memory < run.memory:
            return False
        return all(
            run.needs.get(name, 0.0) <= self.resources.get(name, 0.0)
            for name in declared
            if run.needs.get(name)
        )

    def claims(self, run: Run) -> dict[str, float]:
        """Return the resources that Dask must reserve for a run, by Dask's names."""
        needs = {name: run.needs.get(name.lower(), 0.0) for name in self._declared}
        return {name: amount for name, amount in needs.items() if amount}

    def note_end(self, key: str) -> None:
        """Note that the ending of a run has arrived from this worker."""
        self._ended.append((time.monotonic(), key))

    def overdue_acknowledgements(self) -> list[str]:
        """Return the acknowledgements if none were sent for a while."""
        since = time.monotonic() - IDLE_SECONDS
        return self.acknowledgements() if self._ended and self._ended[0][0] < since else []

    def acknowledgements(self, age: float = HELD_SECONDS) -> list[str]:
        """Return and remove the keys of runs whose ending the worker need not hold any more."""
        before = time.monotonic() - age
        keys = [key for when, key in self._ended if when <= before]
        self._ended = [entry for entry in self._ended if entry[0] > before]
        return keys


class Members:
    """The workers of a cluster by address, and the runs on them that a job may continue."""

    def __init__(self) -> None:
        self._workers: dict[str, ClusterWorker] = {}
        # One worker of each kind that was ever seen: a worker that is being replaced returns.
        self._kinds: dict[tuple[int, frozenset[tuple[str, float]]], ClusterWorker] = {}
        self._most: dict[str, float] = {}
        self._found: dict[str, tuple[HeldRunInfo, ClusterWorker]] = {}

    def __len__(self) -> int:
        return len(self._workers)

    def all(self) -> list[ClusterWorker]:
        """Return all workers."""
        return list(self._workers.values())

    def addresses(self) -> set[str]:
        """Return the addresses of all workers."""
        return set(self._workers)

    def update(self, known: Mapping[str, Any]) -> None:
        """Add the workers that are new."""
        fresh = [
            ClusterWorker(address, about)
            for address, about in known.items()
            if address not in self._workers
        ]
        self._workers |= {worker.address: worker for worker in fresh}
        self._kinds |= {(w.memory, frozenset(w.resources.items())): w for w in fresh}

    def remove(self, address: str) -> ClusterWorker | None:
        """Remove and return a worker that has left; called in Dask's event loop."""
        self._found = {k: v for k, v in self._found.items() if v[1].address != address}
        worker = self._workers.pop(address, None)
        if worker is not None:
            worker.gone.set()
        return worker

    def clear(self) -> list[ClusterWorker]:
        """Remove and return all workers; called in Dask's event loop."""
        gone, self._workers, self._found = self.all(), {}, {}
        for worker in gone:
            worker.gone.set()
        return gone

    def record_runs(
        self,
        found: Mapping[str, Iterable[HeldRunInfo]],
        current: Container[str],
        topic: str,
        orphans: Container[str],
    ) -> None:
        """Record the runs on workers that are not, or no longer, runs of this application.

        Parameters
        ----------
        found : mapping of str to iterable of HeldRunInfo
            The runs by the address of their worker.
        current : container of str
            The keys of the runs of this application that have not ended.
        topic : str
            The topic of this application's events.
        orphans : container of str
            The keys of the runs that this application has lost with its connection.
        """
        for address, runs in found.items():
            if (worker := self._workers.get(address)) is None:
                continue
            others = [run for run in runs if run.key not in current]
            worker.is_occupied = any(not run.has_ended for run in others)
            for run in others:
                is_left = run.topic != topic or run.key in orphans
                known = self._found.get(job_of(run.key))
                is_newer = known is None or known[0].started_at <= run.started_at
                if is_left and run.can_continue and is_newer:
                    self._found[job_of(run.key)] = (run, worker)

    def claim_run(self, job_id: str) -> tuple[HeldRunInfo, ClusterWorker] | None:
        """Return and remove the run of a job that was left on the cluster."""
        return self._found.pop(job_id, None)

    @property
    def declared(self) -> set[str]:
        """Return the resources that any worker declares."""
        return {name for worker in self._kinds.values() for name in worker.resources}

    def totals(self) -> dict[str, float]:
        """Return the total of each resource that workers declare."""
        return {
            name: sum(worker.resources.get(name, 0.0) for worker in self._workers.values())
            for name in self.declared
        }

    def growth(self) -> dict[str, float]:
        """Return the growth of resources beyond the past maximum: replaced workers do not count."""
        totals = {**self.totals(), WORKER: float(len(self._workers))}
        more = {
            name: amount - self._most.get(name, 0.0)
            for name, amount in totals.items()
            if amount > self._most.get(name, 0.0)
        }
        self._most |= {name: totals[name] for name in more}
        return more

    def infos(self, known: Mapping[str, Any]) -> list[WorkerInfo]:
        """Return the state of each worker whose memory use Dask's scheduler knows."""
        return [
            WorkerInfo(0, "busy" if worker.key else "idle", about["metrics"]["memory"])
            for address, about in known.items()
            if (worker := self._workers.get(address)) and "memory" in about.get("metrics", {})
        ]

    def busy_count(self) -> int:
        """Return how many workers work on runs of this application."""
        return sum(bool(worker.key) for worker in self._workers.values())

    def choose(self, run: Run, affinity: str) -> ClusterWorker | None:
        """Return the free worker that suits a run best."""
        declared = self.declared
        free = [w for w in self._workers.values() if w.is_free and w.can_take(run, declared)]
        # Prefer one that has compiled programs for such tasks, then the last one used.
        return max(free, key=lambda w: (affinity in w.affinities, w.used_at), default=None)

    def unmet_need(self, run: Run) -> str:
        """Return why no worker can ever take a run, in one line; empty if one can."""
        declared = self.declared
        kinds = list(self._kinds.values())
        if any(worker.can_take(run, declared) for worker in kinds):
            return ""
        limits = [worker.memory for worker in kinds]
        if run.memory is not None and all(0 < limit < run.memory for limit in limits):
            return (
                f"no worker of the cluster has {size(run.memory)} of memory: "
                f"the most is {size(max(limits))}"
            )
        wanted = {name: run.needs[name] for name in sorted(declared) if run.needs.get(name)}
        lacks = []
        for name, amount in wanted.items():
            most = max(worker.resources.get(name, 0.0) for worker in kinds)
            if amount > most:
                lacks.append(f"{_shown(name, amount)} {name} (the most is {_shown(name, most)})")
        if not lacks:
            words = [f"{_shown(name, amount)} {name}" for name, amount in wanted.items()]
            return f"no worker of the cluster has {' and '.join(words)} together"
        return f"no worker of the cluster has {' and '.join(lacks)}"


def _shown(name: str, amount: float) -> str:
    return size(amount) if name == MEMORY and amount >= 1 << 20 else f"{amount:g}"
