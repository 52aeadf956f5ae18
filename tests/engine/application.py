"""An application of its own process, for the tests that kill it.

Run by `python -m`. Its first argument says what it does, the second is the store, the third a
folder for traces.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from pathlib import Path

from tests.engine import chores, helpers

from rheojobs.engine import JobEngine, JobState, JobStore, TaskContext
from rheojobs.engine.store.writing import maintenance


def count_on(context: TaskContext, steps: int, trace: str, gate: str, closed_at: int) -> list[int]:
    """Count, noting each step and keeping the count; wait at one step until the gate is there."""
    begin = context.restored() or {"step": 0}
    for step in range(begin["step"] + 1, steps + 1):
        chores.note(trace, str(step))
        context.checkpoint({"step": step})
        context.progress(step, steps, f"step {step}")
        while step == closed_at and not Path(gate).exists():
            context.check()
            time.sleep(0.002)
    return [begin["step"], steps]


def count_and_die(context: TaskContext, steps: int, trace: str, gate: str, die_at: int) -> int:
    """Count, keeping the count; at one step kill the process until the gate is there."""
    begin = context.restored() or 0
    for step in range(begin + 1, steps + 1):
        if step == die_at and not Path(gate).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        chores.note(trace, str(step))
        context.checkpoint(step)
    return begin


def work(store: Path, folder: Path) -> None:
    """Run one job that waits at its gate and two that wait for a worker, until killed."""
    executor = sys.argv[4] if len(sys.argv) > 4 else "threads"
    with JobEngine(executor, max_workers=1, store=store) as engine:
        first = engine.run(count_on, 6, str(folder / "trace"), str(folder / "gate"), 3)
        engine.run(chores.note, str(folder / "second"), "ran")
        engine.submit(lambda: 1, name="cannot be kept", after=[first])
        engine.run(chores.add, 1.0)
        chores.touch(folder / "submitted")
        engine.wait()


def work_on_a_cluster(store: Path, folder: Path) -> None:
    """Run one job that waits at its gate on a cluster, until killed."""
    from rheojobs.engine.executors.dask.executor import DaskExecutor

    with JobEngine(DaskExecutor(sys.argv[4]), store=store) as engine:
        engine.run(count_on, 6, str(folder / "trace"), str(folder / "gate"), 3)
        engine.wait()


def pause_on_a_cluster(store: Path, folder: Path) -> None:
    """As `work_on_a_cluster`, with a pause that lasts until there is a file "resume"."""
    from rheojobs.engine.executors.dask.executor import DaskExecutor

    with JobEngine(DaskExecutor(sys.argv[4]), store=store) as engine:
        job = engine.run(count_on, 6, str(folder / "trace"), str(folder / "gate"), 3)
        helpers.wait_until(lambda: job.latest_progress and job.latest_progress.current == 3)
        job.pause()
        helpers.wait_until(lambda: job.state is JobState.PAUSED)
        chores.touch(folder / "paused")
        helpers.wait_until((folder / "resume").exists, 120.0)
        job.resume()
        helpers.wait_until(lambda: job.state is JobState.RUNNING)
        chores.touch(folder / "resumed")
        engine.wait()


def die_as_it_begins(store: Path, folder: Path) -> None:
    """As `work_on_a_cluster`, but killed when the run has begun there and before that is noted."""
    from rheojobs.engine.executors.dask.executor import DaskExecutor

    DaskExecutor._pass_on = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment,method-assign]
    work_on_a_cluster(store, folder)


def race(store: Path, folder: Path) -> None:
    """Take one job of the store after another, as fast as can be."""
    with JobEngine("threads", max_workers=4, store=store) as engine:
        chores.touch(folder / f"ready {sys.argv[4]}")
        helpers.wait_until((folder / "go").exists)
        taken = 0
        while jobs := engine.take_queued(limit=1):
            taken += len(jobs)
        engine.wait()
        print(taken)


def step_slowly(context: TaskContext, steps: int, trace: str) -> int:
    """Note each step and keep the count, with a moment between."""
    for step in range((context.restored() or 0) + 1, steps + 1):
        chores.note(trace, str(step))
        context.checkpoint(step)
        context.check()
        time.sleep(0.01)
    return steps


def churn(store: Path, folder: Path) -> None:
    """Take up what others left, and add jobs and cancel some, until killed."""
    with JobEngine("threads", max_workers=3, store=store) as engine:
        for stored in engine.recover():
            engine.resume_job(stored.id)
        for number in itertools.count():
            name = f"{sys.argv[4]}-{number}"
            job = engine.run(step_slowly, 5, str(folder / f"steps {name}"))
            chores.note(str(folder / "submitted"), job.id)
            if number % 7 == 3:
                job.cancel()
            time.sleep(0.01)


def fill_the_disk(store: Path, folder: Path) -> None:
    """Run jobs while files can grow no more, and then while they can again."""
    import resource  # late: other tests of this module run on Windows too

    maintenance.RENEWAL = 0.1
    with JobEngine("threads", max_workers=2, store=store) as engine:
        engine.run(chores.add, 1.0).result(30)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
        jobs = [engine.run(len, "x" * 5_000) for _ in range(60)]
        assert [job.result(30) for job in jobs] == [5_000] * 60
        helpers.wait_until(lambda: engine.store_problem)
        print(engine.store_problem)
        assert engine.run(chores.add, 2.0).result(30) == 3.0
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        helpers.wait_until(lambda: not engine.store_problem)
    with JobStore(store) as kept:
        print(len(kept.jobs()), set(map(str, kept.counts())))


def may_not_write(store: Path, folder: Path) -> None:
    """Run jobs as somebody who may not write into the folder."""
    if os.getuid() == 0:
        os.setuid(65534)
    with JobEngine("threads", store=store) as engine:
        assert engine.store is None
        print(engine.store_problem)
        print(engine.run(chores.add, 1.0).result(30))


if __name__ == "__main__":
    import logging

    logging.basicConfig(format="%(message)s")
    verbs = {
        "work": work,
        "work_on_a_cluster": work_on_a_cluster,
        "pause_on_a_cluster": pause_on_a_cluster,
        "die_as_it_begins": die_as_it_begins,
        "race": race,
        "churn": churn,
        "fill_the_disk": fill_the_disk,
        "may_not_write": may_not_write,
    }
    # Under its importable name: what is of __main__ cannot be kept.
    from tests.engine import application

    getattr(application, verbs[sys.argv[1]].__name__)(Path(sys.argv[2]), Path(sys.argv[3]))
