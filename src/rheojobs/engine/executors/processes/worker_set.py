"""The workers of a pool: which there are, which there should be, and who takes the next task.

Pure decisions, guarded by the pool's lock: no process is started or ended here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rheojobs.engine.executors.processes.worker_handle import Phase, WorkerHandle

__all__ = ["MAX_START_FAILURES", "StartRetries", "WorkerSet"]

MAX_START_FAILURES = 3
"""Starts that fail one after another, with no worker alive, until the waiting runs fail."""

FIRST_RETRY = 0.1
"""Seconds from the first failed start to the next try; twice as many after each further one."""

LONGEST_RETRY = 10.0


class WorkerSet:
    """The workers that live.

    Parameters
    ----------
    capacity : int
        How many may be busy.
    spares : int
        How many idle ones are kept warm behind the busy ones.
    envs : sequence of mappings
        The environments that are spread over them.
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
        """Take in a worker that starts."""
        self._workers.append(worker)

    def remove(self, worker: WorkerHandle) -> None:
        """Forget a worker that is dead."""
        self._workers.remove(worker)

    def _phases(self) -> list[Phase]:
        # Each short job asks three times: a list is counted in a fraction of a generator's time.
        return [worker.phase for worker in self._workers]

    def wanted(self, waiting: int) -> int:
        """Return how many workers there should be, with so many runs waiting."""
        phases = self._phases()
        busy = phases.count(Phase.BUSY)
        wanted = max(1, min(busy + waiting, self._capacity))
        if busy and Phase.STARTING not in phases:
            # Spares come when the others are ready: their imports must not slow them down.
            wanted += self._spares
        return wanted

    def next_env(self) -> Mapping[str, str]:
        """Return the environment that the fewest workers have."""
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
        """Return whether one more task would find an idle worker, and need no other started."""
        phases = self._phases()
        enough = min(phases.count(Phase.BUSY) + 1, self._capacity) + self._spares
        return Phase.IDLE in phases and (len(phases) >= enough or Phase.STARTING in phases)

    def superfluous(self, waiting: int) -> WorkerHandle | None:
        """Return the worker that was idle for longest, if there are more than are wanted."""
        alive = [worker for worker in self._workers if worker.phase is not Phase.DEAD]
        if len(alive) <= self.wanted(waiting):
            return None
        idle = (worker for worker in alive if worker.phase is Phase.IDLE)
        return min(idle, key=lambda worker: worker.idle_since, default=None)


class StartRetries:
    """When to try again to start a worker, after starts have failed.

    Attributes
    ----------
    failures : int
        Starts that have failed one after another.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._not_before = 0.0

    def reset(self) -> None:
        """Forget the failures: whatever was missing may be there by now."""
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
        """Whether so many have failed that, with no worker alive, there is no more hope."""
        return self.failures >= MAX_START_FAILURES
