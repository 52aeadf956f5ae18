"""How an engine changes its executor: waiting jobs run on the new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rheojobs.engine.dispatcher import Dispatcher
from rheojobs.engine.executors import Executor
from rheojobs.engine.job_registry import JobRegistry
from rheojobs.engine.validation import check_movable

__all__ = ["move_jobs"]


def move_jobs(
    table: JobRegistry,
    dispatcher: Dispatcher,
    executor: Executor,
    provided: Callable[[], Mapping[str, float]],
    timeout: float,
) -> None:
    """Start jobs on another executor from now on.

    Parameters
    ----------
    table : JobRegistry
        The jobs.
    dispatcher : Dispatcher
        Starts them.
    executor : Executor
        The new executor.
    provided : callable
        Returns the amounts of the resources that executors, and not users, provide.
    timeout : float
        Seconds to wait for the end of prewarming jobs.

    Raises
    ------
    InputError
        If a job runs, or a waiting one needs more than there is; then nothing has changed.
    """
    with table.lock:
        table.check_open()
        check_movable(table.open.values(), provided(), executor.limits_memory)
        held, dispatcher.paused = dispatcher.paused, True
        preparing = list(table.prewarming.values())
    try:
        for job in preparing:
            dispatcher.cancel(job)
        with table.idle:
            table.idle.wait_for(lambda: not any(job.handle for job in preparing), timeout)
            table.check_open()
            there = provided()  # more workers may have joined meanwhile
            check_movable(table.open.values(), there, executor.limits_memory)
            dispatcher.start_on(executor)
            total = table.scheduler.total
            table.scheduler.grow({n: there[n] - total.get(n, 0.0) for n in there})
    finally:
        with table.lock:
            dispatcher.paused = held
        table.wake.set()
