"""How an engine changes its executor: waiting jobs run on the new one."""

from __future__ import annotations

from collections.abc import Collection

from rheojobs.engine.executors import Executor
from rheojobs.engine.jobs.dispatcher import Dispatcher
from rheojobs.engine.jobs.job_registry import JobRegistry
from rheojobs.engine.policy.scheduler import WORKER
from rheojobs.engine.validation import check_movable

__all__ = ["move_jobs"]


def move_jobs(
    table: JobRegistry,
    dispatcher: Dispatcher,
    before: Executor,
    executor: Executor,
    given: Collection[str],
    timeout: float,
) -> None:
    """Start jobs on another executor from now on.

    Parameters
    ----------
    table : JobRegistry
        The jobs.
    dispatcher : Dispatcher
        Starts them.
    before : Executor
        The present executor.
    executor : Executor
        The new executor.
    given : collection of str
        The resources whose totals the user has set.
    timeout : float
        Seconds to wait for the end of prewarming jobs.

    Raises
    ------
    InputError
        If a job runs, or a waiting one needs more than there is; then nothing has changed.
    """
    with table.lock:
        table.check_open()
        there = _provided(before, executor, given)
        check_movable(table.open.values(), there, executor.limits_memory)
        held, dispatcher.paused = dispatcher.paused, True
        preparing = list(table.prewarming.values())
    try:
        for job in preparing:
            dispatcher.cancel(job)
        with table.idle:
            table.idle.wait_for(lambda: not any(job.handle for job in preparing), timeout)
            table.check_open()
            there = _provided(before, executor, given)  # more workers may have joined meanwhile
            check_movable(table.open.values(), there, executor.limits_memory)
            dispatcher.start_on(executor)
            total = table.scheduler.total
            table.scheduler.grow({n: there[n] - total.get(n, 0.0) for n in there})
    finally:
        with table.lock:
            dispatcher.paused = held
        table.wake.set()


def _provided(before: Executor, executor: Executor, given: Collection[str]) -> dict[str, float]:
    """Return an executor's totals of the resources that it, or the one before, provides."""
    has = {**executor.resources(), WORKER: float(executor.capacity)}
    names = (before.resources().keys() | has.keys()) - set(given)
    return {name: has.get(name, 0.0) for name in names}
