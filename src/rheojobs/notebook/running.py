"""`fit` and `sample` with live progress, and `progress` for functions that take a callback."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from rheojobs.engine import JobEngine, JobState, Progress, Task
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.sample import sample_task
from rheojobs.notebook.displays import open_display
from rheojobs.notebook.interrupts import Interrupted, interrupts, short_traceback
from rheojobs.notebook.job_view import view_of_job, view_of_progress
from rheojobs.notebook.watching import FRAME

__all__ = ["fit", "progress", "sample"]

STOP = "interrupt the kernel to stop; the result so far is kept"
KEPT = "stopped; the result so far is kept"
NOTHING = "stopped before there was a result"


def fit(
    data: object,
    model: str | Model,
    *,
    initial_params: Mapping[str, float] | None = None,
    **options: Any,
) -> FitResult:
    """Fit a model to data, as `rheojobs.fit` does, and show the progress.

    An interrupt of the kernel, or Ctrl-C, stops the fit and returns the best parameters so far;
    `success` of the result is then False.

    Parameters
    ----------
    data, model, initial_params, **options
        As in `rheojobs.fit`.

    Returns
    -------
    FitResult
    """
    return cast(FitResult, _run(FitTask(model, data, initial_params, options)))


def sample(data: object, model: str | Model, **settings: Any) -> BayesianResult:
    """Sample the posterior of a model, as `rheojobs.sample` does, and show the progress.

    An interrupt of the kernel, or Ctrl-C, stops the sampling and returns the draws so far;
    `is_partial` of the result is then True, and `rheojobs.resume(result.checkpoint)` continues.

    Parameters
    ----------
    data, model, **settings
        As in `rheojobs.sample`.

    Returns
    -------
    BayesianResult
    """
    with short_traceback():
        task = sample_task(data, model, settings)
    return cast(BayesianResult, _run(task))


def _run(task: Task) -> Any:
    """Run a task on a thread of this process, where compiled programs are reused."""
    display = open_display()
    with short_traceback(), JobEngine("threads", max_workers=1) as engine, interrupts() as wanted:
        job = engine.submit(task)
        while not job.done():
            display.show(view_of_job(job), STOP)
            concurrent.futures.wait([job.future], FRAME)
            if wanted():
                job.cancel()
        hint = ""
        if job.cancelled():
            hint = NOTHING if job.partial is None else KEPT
        display.close(view_of_job(job), hint)
        if job.cancelled() and job.partial is None:
            raise Interrupted(NOTHING)
        return job.result_or_partial()[0]


@contextmanager
def progress(title: str = "") -> Iterator[Callable[[Progress], None]]:
    """Return a callback that shows progress until the block is left.

    Parameters
    ----------
    title : str
        What is being done.

    Examples
    --------
    >>> with progress("fits of all sweeps") as show:  # doctest: +SKIP
    ...     results = fit_many(sweeps, "zener", callback=show)
    """
    display = open_display()
    began = time.monotonic()
    due, newest = 0.0, Progress()

    def show(report: Progress) -> None:
        nonlocal due, newest
        newest, now = report, time.monotonic()
        if now >= due:
            due = now + FRAME
            display.show(view(JobState.RUNNING))

    def view(state: JobState) -> Any:
        return view_of_progress(title or "progress", newest, time.monotonic() - began, state)

    state = JobState.FAILED
    try:
        with short_traceback():
            yield show
        state = JobState.SUCCEEDED
    except KeyboardInterrupt:
        state = JobState.CANCELLED
        raise
    finally:
        display.close(view(state))
