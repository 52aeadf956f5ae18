"""Decides how many workers a pool needs, and which of them takes the next task.

Pure, guarded by the pool's lock: no process is started or ended here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rheojobs.engine.executors.processes.worker_handle import Phase, WorkerHandle

__all__ = ["MAX_START_FAILURES", "StartRetries", "WorkerSet"]

MAX_START_FAILURES = 3
"""Successive failed starts, with no worker alive, after which the waiting runs fail."""

FIRST_RETRY = 0.1
"""Seconds from the first failed start to the next try; doubled after each further failure."""

LONGEST_RETRY = 10.0


class WorkerSet:
    """The live workers.

    Parameters
    ----------
    capacity : int
        The most busy workers.
    spares : int
        How many idle workers there are besides the busy ones.
    envs : sequence of mappings
        The environments that are spread over the workers.
    """

    def __init__(self, capacity: int, spares: int, envs: Sequence[Mapping[str, str]]) -> None:
        self._capacity = capacity
        self._spares = spares
        self._envs = envs
        self._workers: list[WorkerHandle] = []

    def __len__(self) -> int:
        return len(self._workers)

    def __iter__(self) -> Iterator[WorkerHandle]:
        return iter(tuple(self._workers))

    def add(self, worker: WorkerHandle) -> None:
        """Add a worker that is starting."""
        self._workers.append(worker)

    def remove(self, worker: WorkerHandle) -> None:
        """Remove a worker that is dead."""
        self._workers.remove(worker)

    def _phases(self) -> list[Phase]:
        # Called three times per short job: counting in a list is faster than in a generator.
        return [worker.phase for worker in self._workers]

    def wanted(self, waiting: int) -> int:
        """Return how many workers there should be for a number of waiting runs."""
        phases = self._phases()
        busy = phases.count(Phase.BUSY)
        wanted = max(1, min(busy + waiting, self._capacity))
        if busy and Phase.STARTING not in phases:
            # Spares start when the others are ready: their imports must not slow the others down.
            wanted += self._spares
        return wanted

    def next_env(self) -> Mapping[str, str]:
        """Return the environment with the fewest workers."""
        return min(self._envs, key=lambda env: sum(w.env is env for w in self._workers))

    def choose(self, affinity: str) -> WorkerHandle | None:
        """Return the idle worker for a task of this affinity; None if none is idle."""
        idle = [worker for worker in self._workers if worker.phase is Phase.IDLE]
        if len(idle) < 2:
            return idle[0] if idle else None
        return max(idle, key=lambda worker: (affinity in worker.affinities, worker.used_at))

    def has_idle(self) -> bool:
        """Return whether any worker is idle."""
        return Phase.IDLE in self._phases()

    def has_spare(self) -> bool:
        """Return whether a further task would find an idle worker without starting another."""
        phases = self._phases()
        enough = min(phases.count(Phase.BUSY) + 1, self._capacity) + self._spares
        return Phase.IDLE in phases and (len(phases) >= enough or Phase.STARTING in phases)

    def superfluous(self, waiting: int) -> WorkerHandle | None:
        """Return the worker that was idle for longest, if there are more than needed."""
        alive = [worker for worker in self._workers if worker.phase is not Phase.DEAD]
        if len(alive) <= self.wanted(waiting):
            return None
        idle = (worker for worker in alive if worker.phase is Phase.IDLE)
        return min(idle, key=lambda worker: worker.idle_since, default=None)


class StartRetries:
    """Decides when to try again to start a worker after failed starts.

    Attributes
    ----------
    failures : int
        Successive failed starts.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._not_before = 0.0

    def reset(self) -> None:
        """Forget the failures: the missing resource may be available now."""
        self.failures = 0
        self._not_before = 0.0

    def note_failure(self, now: float) -> float:
        """Count a failure; return the seconds until the next try."""
        delay = min(FIRST_RETRY * 2.0**self.failures, LONGEST_RETRY)
        self.failures += 1
        self._not_before = now + delay
        return delay

    def may_start(self, now: float) -> bool:
        """Return whether the time of the next try has come."""
        return now >= self._not_before

    @property
    def are_exhausted(self) -> bool:
        """Whether so many starts have failed that waiting runs fail if no worker is alive."""
        return self.failures >= MAX_START_FAILURES
