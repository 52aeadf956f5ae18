"""Runs a command's jobs in a worker process; Ctrl-C stops them and keeps partial results.

This process imports no JAX: it stays free to draw and to react to Ctrl-C.
"""

from __future__ import annotations

import concurrent.futures
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Any

from rich.console import Console

from rheojobs.cli.outputs import INTERRUPTED
from rheojobs.cli.progress import JobDisplay
from rheojobs.engine import Job, JobEngine, ProcessExecutor, Progress, Task
from rheojobs.engine.job_control import JobControl
from rheojobs.engine.store import default_path

__all__ = [
    "FRAME",
    "Interrupted",
    "Session",
    "ctrl_c",
    "start",
    "start_engine",
    "start_engine_on_cluster",
]

FRAME = 1 / 15
"""Seconds between two drawings."""


class Interrupted(Exception):  # noqa: N818 - a request of the user, not an error
    """The job was stopped by Ctrl-C.

    Attributes
    ----------
    partial : object
        The result so far, or None.
    progress : Progress or None
        How far it had come.
    """

    def __init__(self, partial: Any = None, progress: Progress | None = None) -> None:
        super().__init__("stopped by Ctrl-C")
        self.partial = partial
        self.progress = progress


def start_engine(preload: tuple[str, ...], workers: int = 1) -> JobEngine:
    """Start an engine, whose workers import while the command reads its input.

    Its jobs are in the user's store, where `rheojobs jobs` finds them.
    """
    executor = ProcessExecutor(max_workers=workers, preload=preload, spares=0)
    return JobEngine(executor, store=default_path())


def start_engine_on_cluster(address: str, preload: tuple[str, ...]) -> JobEngine:
    """Start an engine whose jobs run on a Dask cluster, and are in the user's store as well."""
    from rheojobs.engine.executors.dask.executor import DaskExecutor

    return JobEngine(DaskExecutor(address, preload=preload), store=default_path())


def start(preload: tuple[str, ...], workers: int, cluster: str | None) -> JobEngine:
    """Start an engine here, or on a cluster if the user has named one."""
    if cluster is None:
        return start_engine(preload, workers)
    return start_engine_on_cluster(cluster, preload)


class Session:
    """One worker process for the length of a command; it starts at once, in the background.

    Parameters
    ----------
    console : Console
        Where progress is drawn: standard error.
    preload : tuple of str
        What the worker imports before its first task.
    cluster : str, optional
        The address of a Dask scheduler, whose workers run the jobs.
    """

    def __init__(
        self,
        console: Console,
        preload: tuple[str, ...] | None = None,
        cluster: str | None = None,
    ) -> None:
        if preload is None:
            from rheojobs.inference.readiness.warm_up import PRELOAD

            preload = PRELOAD
        self._console = console
        self._engine = start(preload, 1, cluster)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self._engine.shutdown(timeout=3.0)

    def run(
        self,
        task: Task | Callable[..., Any],
        title: str,
        describe: Callable[[Any], str] = lambda result: "done",
    ) -> Any:
        """Run a task to its end, drawing its progress.

        Parameters
        ----------
        task : Task or callable
            The work.
        title : str
            What the drawing calls it.
        describe : callable, optional
            Describes the result in a few words.

        Raises
        ------
        Interrupted
            At Ctrl-C, when the job has stopped.
        Exception
            Any exception that the task raised.
        """
        return self._follow(lambda: self._engine.submit(task), title, describe)

    def resume(
        self,
        job_id: str,
        describe: Callable[[Any], str],
        elsewhere: bool = False,
        *,
        again: bool = False,
    ) -> tuple[Job, Any]:
        """Resume a job of the store and run it to its end, as `run` does.

        A job that may still run on another cluster than this session's is resumed only with
        `elsewhere`. A job that has ended and cannot be resumed runs from its start with `again`.

        Returns
        -------
        Job, object
            The job, and its result.
        """
        if again:
            with closing(JobControl(self._engine)) as control:
                job = control.retry(job_id)
        else:
            job = self._engine.resume_job(job_id, elsewhere=elsewhere)
        return job, self._follow(lambda: job, job.name, describe)

    def _follow(self, begin: Callable[[], Job], title: str, describe: Callable[[Any], str]) -> Any:
        with JobDisplay(self._console, title) as display, ctrl_c() as wanted:
            job = begin()
            asked = False
            while not job.done():
                concurrent.futures.wait([job.future], FRAME)
                if wanted() and not asked:
                    asked = True
                    job.cancel()
                display.update(job)
            if job.cancelled():
                raise Interrupted(job.partial, job.latest_progress)
            result = job.result()
            if wanted():  # it ended before it could be stopped
                raise Interrupted(result)
            display.close(describe(result))
            return result


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    """Count Ctrl-C instead of raising it within a drawing; the second ends the process at once."""
    count = 0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), b"\x1b[?25h\n")  # the drawing has hidden the cursor
            # The worker ends with this process: the pipe between them closes.
            os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield lambda: count > 0
    finally:
        signal.signal(signal.SIGINT, before)
