"""What an empty job costs whom: the scheduler, the client and the workers, in processor time.

Beside it, by turns, the same function submitted to the same cluster by Dask's own client.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scaling_study.cluster import LocalMachines, local_machines
from scaling_study.work import empty

__all__ = ["OURS", "THEIRS", "measure_cost"]

OURS, THEIRS = "rheojobs", "dask's own client"
WORKERS = 2


def measure_cost(jobs: int, repeats: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run empty jobs on both sides, by turns; gives seconds per job, medians of the turns."""
    from distributed import Client

    from rheojobs import JobEngine
    from rheojobs.engine.executors.dask.executor import DaskExecutor

    turns: dict[str, list[dict[str, float]]] = {OURS: [], THEIRS: []}
    with (
        local_machines(WORKERS) as machines,
        JobEngine(DaskExecutor(machines.address)) as engine,
        Client(machines.address, set_as_default=False) as client,
    ):

        def ours(count: int) -> None:
            submitted = [engine.submit(empty) for _ in range(count)]
            for job in submitted:
                job.result(600)
                job.forget()

        def theirs(count: int) -> None:
            client.gather([client.submit(empty, pure=False) for _ in range(count)])

        for run in (ours, theirs):
            run(50)
        for turn in range(repeats):
            for name, run in ((OURS, ours), (THEIRS, theirs))[:: 1 if turn % 2 else -1]:
                with _watched(machines, jobs, turns[name]):
                    run(jobs)
            say(f"turn {turn + 1} of {repeats}")
    return {
        name: {what: statistics.median(turn[what] for turn in taken) for what in taken[0]}
        for name, taken in turns.items()
    }


@contextmanager
def _watched(machines: LocalMachines, jobs: int, found: list[dict[str, float]]) -> Iterator[None]:
    before, began = _cpu(machines), time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    used = {name: (after - before[name]) / jobs for name, after in _cpu(machines).items()}
    found.append({"wall": seconds / jobs, **used})


def _cpu(machines: LocalMachines) -> dict[str, float]:
    def seconds(processes: list[Any]) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    return {
        "scheduler": seconds([machines.scheduler]),
        "client": time.process_time(),
        "workers": seconds(machines.workers()),
    }
