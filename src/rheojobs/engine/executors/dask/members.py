"""The workers of a cluster: what each has, what it does for us, and what it still does for others.

Knows neither tasks nor how a worker is spoken to; whoever calls holds the executor's lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rheojobs.engine.executors.base import Run, WorkerInfo
from rheojobs.engine.executors.dask.held import Whereabouts, job_of
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.sizes import size
from rheojobs.engine.validation import MEMORY

if TYPE_CHECKING:
    from rheojobs.engine.executors.dask.run import DaskRun

__all__ = ["ClusterWorker", "Members"]

HELD_SECONDS = 5.0
"""Seconds after which what a run gave has surely been written to disk, where it is to be."""

IDLE_SECONDS = 30.0
"""Seconds after which a worker is told of that in a message of its own."""


class ClusterWorker:
    """A worker of the cluster, as far as it works for us.

    Parameters
    ----------
    address : str
        Its name on the cluster.
    about : mapping
        As Dask's scheduler describes it.

    Attributes
    ----------
    nanny : str
        The address of whom has another take its place when it is killed; empty where nobody does.
    resources : dict of str to float
        What it was started with (``dask worker --resources "GPU=2"``), by the name in lower case.
    memory : int
        Bytes that it may hold; 0 where nobody has set a limit.
    run : DaskRun or None
        What it does for us.
    is_condemned : bool
        Whether it is being killed, or leaves by itself.
    gone : asyncio.Event
        Whether the cluster knows it no more; for those who wait in Dask's loop.
    is_occupied : bool
        Whether it runs a task of an application that is not this one.
    """

    def __init__(self, address: str, about: Mapping[str, Any]) -> None:
        self.address = address
        self.nanny = str(about.get("nanny") or "")
        self._declared: dict[str, float] = dict(about.get("resources") or {})
        self.resources = {name.lower(): amount for name, amount in self._declared.items()}
        self.memory = int(about.get("memory_limit") or 0)
        self.run: DaskRun | None = None
        self.is_condemned = False
        self.gone = asyncio.Event()
        self.is_occupied = False
        self.affinities: set[str] = set()
        self.used_at = 0.0
        self._ended: list[tuple[float, str]] = []

    @property
    def is_free(self) -> bool:
        """Whether its task has ended, not whether somebody gave that up; and it will live."""
        return self.run is None and not self.is_condemned and not self.is_occupied

    def can_take(self, run: Run, declared: Iterable[str]) -> bool:
        """Whether it has what a run needs of the resources that the cluster declares."""
        if run.memory is not None and 0 < self.memory < run.memory:
            return False
        return all(
            run.needs.get(name, 0.0) <= self.resources.get(name, 0.0)
            for name in declared
            if run.needs.get(name)
        )

    def claims(self, run: Run) -> dict[str, float]:
        """Give what Dask is to set aside for a run, by the names that it knows."""
        needs = {name: run.needs.get(name.lower(), 0.0) for name in self._declared}
        return {name: amount for name, amount in needs.items() if amount}

    def note_end(self, key: str) -> None:
        """Note that the ending of a run has come from here."""
        self._ended.append((time.monotonic(), key))

    def long_ended(self) -> list[str]:
        """Give what `acknowledgements` does, where no task has taken that along for long."""
        since = time.monotonic() - IDLE_SECONDS
        return self.acknowledgements() if self._ended and self._ended[0][0] < since else []

    def acknowledgements(self, age: float = HELD_SECONDS) -> list[str]:
        """Give the runs whose ending need not be held there any more; once."""
        before = time.monotonic() - age
        keys = [key for when, key in self._ended if when <= before]
        self._ended = [entry for entry in self._ended if entry[0] > before]
        return keys


class Members:
    """The workers of a cluster by address, and the runs that were found on them."""

    def __init__(self) -> None:
        self._workers: dict[str, ClusterWorker] = {}
        # One of each kind that there ever was: a worker that is being replaced comes back.
        self._kinds: dict[tuple[int, frozenset[tuple[str, float]]], ClusterWorker] = {}
        self._most: dict[str, float] = {}
        self._found: dict[str, tuple[Whereabouts, ClusterWorker]] = {}

    def __len__(self) -> int:
        return len(self._workers)

    def all(self) -> list[ClusterWorker]:
        """Give all workers."""
        return list(self._workers.values())

    def take_in(self, known: Mapping[str, Any]) -> list[ClusterWorker]:
        """Learn which workers there are; gives those that are new."""
        fresh = [
            ClusterWorker(address, about)
            for address, about in known.items()
            if address not in self._workers
        ]
        self._workers |= {worker.address: worker for worker in fresh}
        self._kinds |= {(w.memory, frozenset(w.resources.items())): w for w in fresh}
        return fresh

    def drop(self, address: str) -> ClusterWorker | None:
        """Learn that a worker has gone; in Dask's loop."""
        self._found = {k: v for k, v in self._found.items() if v[1].address != address}
        worker = self._workers.pop(address, None)
        if worker is not None:
            worker.gone.set()
        return worker

    def clear(self) -> list[ClusterWorker]:
        """Learn that all have gone, in Dask's loop; gives them."""
        gone, self._workers, self._found = self.all(), {}, {}
        for worker in gone:
            worker.gone.set()
        return gone

    def note_runs(self, found: Mapping[str, Iterable[Whereabouts]]) -> None:
        """Learn which runs of other applications, or of one before this, workers hold."""
        for address, runs in found.items():
            if (worker := self._workers.get(address)) is None:
                continue
            worker.is_occupied = any(not run.has_ended for run in runs)
            for run in runs:
                known = self._found.get(job_of(run.key))
                if run.is_of_use and (known is None or known[0].begun <= run.begun):
                    self._found[job_of(run.key)] = (run, worker)

    def claim(self, job_id: str) -> tuple[Whereabouts, ClusterWorker] | None:
        """Give the run of a job that an application before this one has left behind; once."""
        return self._found.pop(job_id, None)

    @property
    def declared(self) -> set[str]:
        """The resources that any worker declares."""
        return {name for worker in self._kinds.values() for name in worker.resources}

    def totals(self) -> dict[str, float]:
        """Give how much there is of each resource that workers declare."""
        return {
            name: sum(worker.resources.get(name, 0.0) for worker in self._workers.values())
            for name in self.declared
        }

    def growth(self) -> dict[str, float]:
        """Give what there is more than ever before; a worker that was replaced is not more."""
        totals = {**self.totals(), WORKER: float(len(self._workers))}
        more = {
            name: amount - self._most.get(name, 0.0)
            for name, amount in totals.items()
            if amount > self._most.get(name, 0.0)
        }
        self._most |= {name: totals[name] for name in more}
        return more

    def infos(self, known: Mapping[str, Any]) -> list[WorkerInfo]:
        """Say how each worker is, of which Dask's scheduler says something."""
        return [
            WorkerInfo(0, "idle" if worker.run is None else "busy", about["metrics"]["memory"])
            for address, about in known.items()
            if (worker := self._workers.get(address)) and "memory" in about.get("metrics", {})
        ]

    def busy_count(self) -> int:
        """Count the workers that do something for us."""
        return sum(worker.run is not None for worker in self._workers.values())

    def choose(self, run: Run, affinity: str) -> ClusterWorker | None:
        """Give the free worker that suits a run best."""
        declared = self.declared
        free = [w for w in self._workers.values() if w.is_free and w.can_take(run, declared)]
        # One that has kept what such tasks share; then the one that was used last.
        return max(free, key=lambda w: (affinity in w.affinities, w.used_at), default=None)

    def obstacle(self, run: Run) -> str:
        """Say in a line why no worker can ever take a run; empty where one can."""
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
