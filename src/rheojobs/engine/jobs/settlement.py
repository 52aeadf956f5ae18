"""Settles ended jobs: sets their future, calls callbacks, and removes leftovers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from rheojobs.engine.delivery.callbacks import CallbackThreads
from rheojobs.engine.delivery.event_bus import Delivery
from rheojobs.engine.events import StateChanged
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.recorder import Outcome, Recorder
from rheojobs.engine.states import JobState
from rheojobs.engine.task import Leftover

__all__ = ["Settlement"]

logger = logging.getLogger(__name__)


class Settlement:
    """Settles the ended jobs of an engine.

    Parameters
    ----------
    recorder : Recorder
        Records an end before it is published.
    on_settled : callable
        Called, on any thread, for each piece of work that is done.
    """

    def __init__(self, recorder: Recorder, on_settled: Callable[[], object]) -> None:
        self._recorder = recorder
        self._on_settled = on_settled
        self._callbacks = CallbackThreads()

    def is_here(self) -> bool:
        """Return whether the caller runs on a thread that settles jobs or calls callbacks."""
        return self._recorder.bus.is_here() or self._callbacks.is_here()

    def begin(self, job: Job, event: StateChanged, error: BaseException | None) -> int:
        """Record the end of a job and publish it.

        Returns how many times `on_settled` will be called.
        """
        has_left = event.state is JobState.SUCCEEDED and _may_leave(job.task)
        leftover = partial(_leftover, job) if has_left else None
        on_unkept = partial(setattr, job, "result_not_kept_because")
        outcome = Outcome(job.result_or_ref, job.partial, error, leftover, on_unkept)
        # The future first: a subscriber that receives the event may request the result.
        settle = partial(self._settle, job, error, event.state is JobState.CANCELLED)
        self._recorder.end(event, outcome, settle, private=job.is_prewarming)
        if leftover is None:
            return 1
        self._recorder.call(partial(self._callbacks.run, partial(self._tidy, job)))
        return 2

    def _settle(
        self,
        job: Job,
        error: BaseException | None,
        cancelled: bool,
        result: Any,
        deliver: Delivery,
    ) -> None:
        """Set a job's outcome, and call the callbacks."""
        job.result_or_ref = result
        callbacks = job.future.settle(result, error, cancelled)
        deliver()
        if callbacks:
            self._callbacks.run(partial(self._call_back, job, callbacks))
        else:
            self._on_settled()

    def _call_back(self, job: Job, callbacks: list[Callable[[Any], object]]) -> None:
        try:
            job.future.call_back(callbacks)
        finally:
            self._on_settled()

    def _tidy(self, job: Job) -> None:
        """Remove the leftover of a task, whose result is on disk by now."""
        try:
            if self._recorder.problem or job.result_not_kept_because:
                return  # the result is not on disk: too much left over is better than too little
            if (leftover := _leftover(job)) is not None:
                leftover.tidy()
            if not job.is_prewarming:
                self._recorder.note_tidied(job.id)
        finally:
            self._on_settled()


def _may_leave(task: object) -> bool:
    """Return whether a task has a `leftover`, without evaluating it, which runs user code."""
    return hasattr(type(task), "leftover") or "leftover" in getattr(task, "__dict__", ())


def _leftover(job: Job) -> Leftover | None:
    """Return the leftover of a task that has ended."""
    try:
        return getattr(job.task, "leftover", None)
    except Exception:
        logger.exception("the leftover of job %s cannot be determined", job.id[:8])
        return None
