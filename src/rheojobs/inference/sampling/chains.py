"""Several chains on the threads of one process, advanced chunk by chunk.

XLA gives back the interpreter's lock while it computes, so chains run side by side. The
chain that is furthest behind goes next, which keeps them together; since each carries its
own random key, the draws do not depend on who runs when, nor on how long a chunk is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rheojobs.engine.cancellation import CancellationError
from rheojobs.inference.sampling.chunk_length import Pace
from rheojobs.inference.sampling.nuts import CHUNK_CAPACITY, Draws
from rheojobs.machine import processors

__all__ = ["Chain", "ChainSet", "Snapshot", "joined"]

CHUNK_SECONDS = 0.05
"""How long a chunk should take: the time until a wish to stop is heard."""


def joined(parts: Sequence[Draws]) -> Draws:
    """Join draws that follow on one another; at least one part is needed."""
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
        What was drawn after the warm-up, in order.
    """

    state: Any
    done: int
    parts: list[Draws]


@dataclass(eq=False)
class Chain:
    """One chain: where it stands and what it drew.

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
        What the last chunk drew, warm-up included.
    """

    state: Any
    warmup: int
    total: int
    done: int = 0
    parts: list[Draws] = field(default_factory=list)
    divergences: int = 0
    latest: Draws | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, snapshot: Snapshot, warmup: int, total: int) -> Chain:
        """Take up a chain where it stood."""
        divergences = sum(int(part.diverging.sum()) for part in snapshot.parts)
        parts = list(snapshot.parts)
        return cls(snapshot.state, warmup, total, snapshot.done, parts, divergences)

    def snapshot(self) -> Snapshot:
        """Return the chain as it stands between two chunks."""
        with self._lock:
            return Snapshot(self.state, self.done, list(self.parts))

    def most_steps(self) -> int:
        """Say how many steps may be taken next: a chunk belongs to one stage."""
        end = self.warmup if self.done < self.warmup else self.total
        return min(end - self.done, CHUNK_CAPACITY)

    def take(self, state: Any, draws: Draws) -> Draws:
        """Note what a chunk gave; gives what it drew, warm-up included."""
        steps = int(state.step) - int(self.state.step)
        kept = Draws(*(np.asarray(column)[:steps].copy() for column in draws))
        with self._lock:
            self.state = state
            self.latest = kept
            if self.done >= self.warmup:
                self.parts.append(kept)
                self.divergences += int(kept.diverging.sum())
            self.done += steps
        return kept


class ChainSet:
    """Runs chains to their end on as many threads as there are processors.

    Parameters
    ----------
    chains : list of Chain
    advance : callable
        ``(state, steps, leapfrogs) -> (state, draws)``: takes so many steps at most, and begins
        none after so many leapfrogs. Computes outside the interpreter's lock.
    pace : Pace
        Of `advance`.
    check : callable
        Called between chunks: waits while paused, raises when cancelled.
    tick : callable
        Called with nothing, every 30th of a second and at the end, in the caller's thread.
    is_cancelled : callable, optional
        Says whether to stop without waiting for the chunks that are being computed: a single
        step may take a second, where the trees are deep. What they draw is not noted any more.
    """

    def __init__(
        self,
        chains: list[Chain],
        advance: Callable[[Any, int, int], tuple[Any, Draws]],
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
        """Advance all chains to their end; raises what a chunk or `check` raised."""
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
                leapfrogs = self._pace.leapfrogs(CHUNK_SECONDS)
                start = time.perf_counter()
                state, draws = self._advance(chain.state, chain.most_steps(), leapfrogs)
                seconds = time.perf_counter() - start
                drawn = chain.take(state, draws)
                self._pace.measured(seconds, int(drawn.leapfrogs.sum()))
                if chain.done < chain.total:
                    with self._lock:
                        self._ready.append(chain)
        except BaseException as error:  # passed on by `run`, in the task's own thread
            with self._lock:
                self._error = self._error or error

    def _next(self) -> Chain | None:
        with self._lock:
            if not self._ready or self._error is not None:
                return None
            chain = min(self._ready, key=lambda chain: chain.done / chain.total)
            self._ready.remove(chain)
            return chain
