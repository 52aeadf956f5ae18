"""`watch`: show a job of an engine until it ends, or beside other cells."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import Any

from rheojobs.engine import Job
from rheojobs.notebook.buttons import JobButtons
from rheojobs.notebook.displays import Display, in_notebook, open_display
from rheojobs.notebook.interrupts import Interrupted, interrupts, short_traceback
from rheojobs.notebook.job_view import view_of_job

__all__ = ["FRAME", "watch"]

FRAME = 0.15
"""Seconds between two looks at the job."""

DETACH = "interrupt the kernel to stop watching; the job continues"
CONTINUES = "no longer watched; the job continues, and job.cancel() stops it"


def watch(job: Job, *, wait: bool = True) -> Any:
    """Show a job: state, stage, bar, remaining time, and what a fit or a sampling reports.

    An interrupt of the kernel, or Ctrl-C, stops the watching; the job continues.

    Parameters
    ----------
    job : Job
        The job.
    wait : bool
        Whether to wait for its end. If not, the cell returns at once and its display stays live,
        with buttons to pause and cancel the job if ipywidgets is installed.

    Returns
    -------
    object
        The result, or the partial result of a cancelled job; None without `wait`.

    Raises
    ------
    CancellationError
        If the job was cancelled without a partial result.
    Exception
        What the task raised.
    """
    display = open_display()
    if not wait:
        _watch_beside(job, display)
        return None
    with interrupts() as wanted:
        while not job.done():
            display.show(view_of_job(job), DETACH)
            concurrent.futures.wait([job.future], FRAME)
            if wanted() and not job.done():
                display.close(view_of_job(job), CONTINUES)
                raise Interrupted(CONTINUES)
        display.close(view_of_job(job))
    with short_traceback():
        return job.result_or_partial()[0]


def _watch_beside(job: Job, display: Display) -> None:
    """Show the job from a thread; the displays are made here, where they belong to this cell."""
    buttons = JobButtons(job) if in_notebook() else None
    hint = "" if buttons is None else buttons.hint
    display.show(view_of_job(job), hint)
    if buttons is not None:
        buttons.show()

    def follow() -> None:
        while not job.done():
            concurrent.futures.wait([job.future], FRAME)
            display.show(view_of_job(job), hint)
            if buttons is not None:
                buttons.update()
        display.close(view_of_job(job))
        if buttons is not None:
            buttons.close()

    threading.Thread(target=follow, name="rheojobs-watch", daemon=True).start()
