"""A process that runs a job twice as a job, then its kernel alone: the same chains, nothing else.

The kernel's calls are recorded where the job makes them, so the bare loop starts from the very
states that the job started from; that it takes as many leapfrogs shows that it is the same work.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from side_by_side.child import Mouth, processors, serve

from rheojobs import sample
from rheojobs.inference.readiness.warm_up import warm_up_fully
from rheojobs.inference.sampling.nuts import CHUNK_CAPACITY
from rheojobs.inference.sampling.programs import Kernels
from sampling_study.as_ours import arguments

NICE = 5
"""Worker processes have that priority; so has this one, on a machine that others use too."""


NO_LIMIT = 10**9
"""Of the leapfrogs of one call."""


class _Recorder:
    """Notes each call of `Kernels.advance`: when, for how long, how many steps."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, float, int]] = []
        self.starts: list[Any] = []
        self.rest: tuple[Any, ...] = ()
        self.advance: Any = None
        self._lock = threading.Lock()
        build: Any = Kernels.__init__

        def record(kernels: Any, *args: Any, **kwargs: Any) -> None:
            build(kernels, *args, **kwargs)
            kernels.advance = self._around(kernels.advance)

        Kernels.__init__ = record  # type: ignore[assignment, method-assign]

    def clear(self) -> None:
        self.calls, self.starts = [], []

    def _around(self, advance: Any) -> Any:
        def call(state: Any, steps: Any, leapfrogs: Any, *rest: Any) -> Any:
            first = int(state.step) == 0 and int(steps) > 0
            start = jax.tree.map(np.copy, state) if first else None
            began = time.perf_counter()
            result = jax.block_until_ready(advance(state, steps, leapfrogs, *rest))
            ended = time.perf_counter()
            with self._lock:
                if int(steps) > 0:
                    taken = int(result[0].step) - int(state.step)
                    self.calls.append((began, ended, taken))
                if first:
                    self.starts.append(start)
                self.advance, self.rest = advance, rest
            return result

        return call


def _bare(advance: Any, starts: list[Any], rest: tuple[Any, ...], total: int) -> tuple[float, Any]:
    """Take every chain to its end, on as many threads as a job uses; gives seconds and draws."""
    lock = threading.Lock()
    done = dict.fromkeys(range(len(starts)), 0)
    states, busy = dict(enumerate(starts)), set()
    kept: list[Any] = []

    def work() -> None:
        while True:
            with lock:
                waiting = [k for k in done if k not in busy and done[k] < total]
                if not waiting:
                    return
                chain = min(waiting, key=lambda k: done[k])
                busy.add(chain)
            steps = min(CHUNK_CAPACITY, total - done[chain])
            state, draws = jax.block_until_ready(advance(states[chain], steps, NO_LIMIT, *rest))
            with lock:
                kept.append((done[chain], steps, draws))
                states[chain], done[chain] = state, done[chain] + steps
                busy.discard(chain)

    threads = [threading.Thread(target=work) for _ in range(min(len(starts), processors()))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, kept


def _leapfrogs(kept: list[Any], warmup: int) -> int:
    """Count those of the draws, as a result does."""
    return sum(
        int(np.asarray(draws.leapfrogs)[max(0, warmup - first) : steps].sum())
        for first, steps, draws in kept
    )


def _measure(request: Mapping[str, Any], mouth: Mouth) -> None:
    recorder = _recorder
    if "first" in request:
        sample(**arguments(request["first"]))
    job = request["second"]
    recorder.clear()
    began = time.perf_counter()
    result = sample(**arguments(job))
    ended = time.perf_counter()
    calls = recorder.calls
    total = job["num_warmup"] + job["num_samples"]
    seconds, kept = _bare(recorder.advance, recorder.starts, recorder.rest, total)
    _save(request["out"], result)
    mouth.say(
        "result",
        job=ended - began,
        before=min(call[0] for call in calls) - began,
        chains=max(call[1] for call in calls) - min(call[0] for call in calls),
        after=ended - max(call[1] for call in calls),
        calls=len(calls),
        in_kernel=sum(call[1] - call[0] for call in calls),
        bare=seconds,
        leapfrogs=int(result.diagnostics["leapfrogs"]),
        bare_leapfrogs=_leapfrogs(kept, job["num_warmup"]),
        threads=min(job["num_chains"], processors()),
    )


def _save(path: str, result: Any) -> None:
    """Write draws and their log density, for a comparison with another's."""
    tree = result.inference_data
    columns = {name: tree["posterior"][name].values for name in tree["posterior"].data_vars}
    np.savez(path, lp=tree["sample_stats"]["lp"].values, **columns)


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICE)
    _recorder = _Recorder()
    warm_up_fully()
    serve(_measure)
