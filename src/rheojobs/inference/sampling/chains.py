"""Run several chains on threads of one process, chunk by chunk.

XLA releases the GIL while it computes, so chains run in parallel. The chain that is furthest behind
runs next, which keeps them together; since each has its own random key, the draws depend neither on
the order of execution nor on the length of the chunks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rheojobs.engine.cancellation import CancellationError
from rheojobs.inference.programs.pace import Pace
from rheojobs.inference.sampling.nuts import CHUNK_CAPACITY, Draws
from rheojobs.machine import processors

__all__ = ["Chain", "ChainSet", "Snapshot", "joined"]

CHUNK_SECONDS = 0.05
"""Target duration of a chunk in seconds, which is the time between checks for cancellation."""


def joined(parts: Sequence[Draws]) -> Draws:
    """Join consecutive draws; at least one part is needed."""
    return Draws(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A chain at one moment.

    Attributes
    ----------
    state : ChainState
        The sampler's.
    done : int
        Steps taken, warm-up included.
    parts : list of Draws
        The draws after the warm-up, in order.
    """

    state: Any
    done: int
    parts: list[Draws]


@dataclass(eq=False)
class Chain:
    """One chain: its state and its draws.

    Attributes
    ----------
    state : ChainState
        The sampler's.
    warmup, total : int
        Steps of warm-up, and steps to take in all.
    done : int
        Steps taken.
    divergences : int
        Among the draws after the warm-up.
    parts : list of Draws
        The draws after the warm-up, in order.
    latest : Draws or None
        The draws of the last chunk, warm-up included.
    number : int
        Its place among the chains.
    """

    state: Any
    warmup: int
    total: int
    done: int = 0
    parts: list[Draws] = field(default_factory=list)
    divergences: int = 0
    latest: Draws | None = None
    number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, snapshot: Snapshot, warmup: int, total: int, number: int = 0) -> Chain:
        """Restore a chain from a snapshot."""
        divergences = sum(int(part.diverging.sum()) for part in snapshot.parts)
        parts = list(snapshot.parts)
        done = snapshot.done
        return cls(snapshot.state, warmup, total, done, parts, divergences, number=number)

    def snapshot(self) -> Snapshot:
        """Return a snapshot of the chain between two chunks."""
        with self._lock:
            return Snapshot(self.state, self.done, list(self.parts))

    def most_steps(self) -> int:
        """Return how many steps may be taken next: a chunk belongs to one stage."""
        end = self.warmup if self.done < self.warmup else self.total
        return min(end - self.done, CHUNK_CAPACITY)

    def take(self, state: Any, rows: Any) -> Draws:
        """Record the result of a chunk; return its draws, warm-up included."""
        steps = int(state.step) - int(self.state.step)
        kept = Draws.of_rows(np.asarray(rows)[:steps])
        with self._lock:
            self.state = state
            self.latest = kept
            if self.done >= self.warmup:
                self.parts.append(kept)
                self.divergences += int(kept.diverging.sum())
            self.done += steps
        return kept


class ChainSet:
    """Runs chains to the end on as many threads as there are processors.

    Parameters
    ----------
    chains : list of Chain
    advance : callable
        ``(chain, steps, leapfrogs) -> (state, rows)``: takes so many steps at most, and begins
        none after so many leapfrogs; the rows are those of `Draws`. Computes without holding
        the GIL.
    pace : Pace
        Of `advance`.
    check : callable
        Called between chunks: waits while paused, raises when cancelled.
    tick : callable
        Called without arguments, every 30th of a second and at the end, in the caller's thread.
    is_cancelled : callable, optional
        Returns whether to stop without waiting for the chunks being computed: a single step
        may take a second if the trees are deep. Their draws are discarded.
    """

    def __init__(
        self,
        chains: list[Chain],
        advance: Callable[[Chain, int, int], tuple[Any, Any]],
        pace: Pace,
        check: Callable[[], None],
        tick: Callable[[], None],
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.chains = chains
        self._advance = advance
        self._pace = pace
        self._check = check
        self._tick = tick
        self._is_cancelled = is_cancelled
        self._ready: list[Chain] = []
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Advance all chains to the end; raises what a chunk or `check` raised."""
        self._ready = [chain for chain in self.chains if chain.done < chain.total]
        count = min(len(self._ready), processors())
        threads = [
            threading.Thread(target=self._work, name=f"rheojobs-chain-{k}", daemon=True)
            for k in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(1 / 30)
                if self._is_cancelled():
                    with self._lock:
                        self._error = self._error or CancellationError()
                    raise self._error
                self._tick()
        self._tick()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while (chain := self._next()) is not None:
                self._check()
                leapfrogs = self._pace.steps(CHUNK_SECONDS)
                start = time.perf_counter()
                state, rows = self._advance(chain, chain.most_steps(), leapfrogs)
                seconds = time.perf_counter() - start
                drawn = chain.take(state, rows)
                self._pace.measured(seconds, int(drawn.leapfrogs.sum()))
                if chain.done < chain.total:
                    with self._lock:
                        self._ready.append(chain)
        except BaseException as error:  # raised again by `run`, in the task's own thread
            with self._lock:
                self._error = self._error or error

    def _next(self) -> Chain | None:
        with self._lock:
            if not self._ready or self._error is not None:
                return None
            chain = min(self._ready, key=lambda chain: chain.done / chain.total)
            self._ready.remove(chain)
            return chain
