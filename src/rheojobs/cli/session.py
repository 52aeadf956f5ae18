"""Runs a command's jobs in a worker process; Ctrl-C and SIGTERM stop them and keep partial results.

This process imports no JAX: it stays free to draw and to react to signals.
"""

from __future__ import annotations

import concurrent.futures
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from rich.console import Console

from rheojobs.cli.statuses import INTERRUPTED
from rheojobs.cli.terminal.drawing import FRAME
from rheojobs.cli.terminal.progress import JobDisplay
from rheojobs.cli.terminal.stopping import stop_requests
from rheojobs.engine import Job, JobEngine, ProcessExecutor, Progress, Task, worker_environment
from rheojobs.engine.job_control import JobControl
from rheojobs.engine.store import default_path
from rheojobs.errors import InputError

__all__ = [
    "Interrupted",
    "Session",
    "check_devices",
    "start",
    "start_engine",
    "start_engine_on_cluster",
]

MEMORY_SHARE = 0.75
"""The fraction of a GPU's memory that JAX takes; several workers on one GPU divide it."""


class Interrupted(Exception):  # noqa: N818 - a request of the user, not an error
    """The job was stopped by Ctrl-C or SIGTERM.

    Attributes
    ----------
    partial : object
        The result so far, or None.
    progress : Progress or None
        How far it had come.
    status : int
        The exit status: it says which of them it was.
    """

    def __init__(
        self, partial: Any = None, progress: Progress | None = None, status: int = INTERRUPTED
    ) -> None:
        super().__init__("stopped by a signal")
        self.partial = partial
        self.progress = progress
        self.status = status


def start_engine(
    preload: tuple[str, ...], workers: int = 1, devices: Sequence[str] = ()
) -> JobEngine:
    """Start an engine, whose workers import while the command reads its input.

    Its jobs are in the user's store, where `rheojobs jobs` finds them. Its workers take the
    devices in turn.
    """
    workers = max(workers, len(devices))
    env = _environments(devices, workers)
    executor = ProcessExecutor(max_workers=workers, preload=preload, spares=0, env=env)
    return JobEngine(executor, store=default_path())


def _environments(devices: Sequence[str], workers: int) -> list[dict[str, str]]:
    """Return the environments of workers that take the devices in turn."""
    each = math.ceil(workers / max(len(devices), 1))
    share = MEMORY_SHARE / each if each > 1 else None
    return [worker_environment(device=name, gpu_memory=share) for name in devices]


def start_engine_on_cluster(address: str, preload: tuple[str, ...]) -> JobEngine:
    """Start an engine whose jobs run on a Dask cluster, and are in the user's store as well."""
    from rheojobs.engine.executors.dask.executor import DaskExecutor

    return JobEngine(DaskExecutor(address, preload=preload), store=default_path())


def start(
    preload: tuple[str, ...], workers: int, cluster: str | None, device: str | None = None
) -> JobEngine:
    """Start an engine here, or on a cluster if the user has named one.

    Parameters
    ----------
    preload : tuple of str
        What workers import before their first task.
    workers : int
        How many there are here at most; with more devices, one for each.
    cluster : str or None
        The address of a Dask scheduler.
    device : str, optional
        The devices of the workers here, with commas between them. A worker checks first that
        they exist: one line about a name instead of a failure of each job.
    """
    if cluster is not None:
        if device is not None:
            raise InputError(
                "--device is for this computer: on a cluster, set RHEOJOBS_DEVICE where each "
                "worker is started"
            )
        return start_engine_on_cluster(cluster, preload)
    if device is None:
        return start_engine(preload, workers)
    devices = _names(device)
    engine = start_engine(preload, workers, devices)
    try:
        engine.submit(partial(check_devices, devices), name="check of the devices").result()
    except BaseException:  # Ctrl-C too: no worker may be left behind
        engine.shutdown(timeout=3.0)
        raise
    return engine


def check_devices(names: Sequence[str]) -> None:
    """Raise an `InputError` if there is no device of one of the names; runs in a worker."""
    from rheojobs.inference.programs.devices import device_named

    for name in names:
        device_named(name)


def _names(device: str) -> list[str]:
    names = [name.strip() for name in device.split(",")]
    if not all(names):
        raise InputError(f"--device takes names such as cpu:1 or cuda:0,cuda:1; got {device!r}")
    return names


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
    device : str, optional
        The device on which the worker computes.
    """

    def __init__(
        self,
        console: Console,
        preload: tuple[str, ...] | None = None,
        cluster: str | None = None,
        device: str | None = None,
    ) -> None:
        if device is not None and "," in device:
            raise InputError(f"--device: this command computes on one device, got {device!r}")
        if preload is None:
            from rheojobs.inference.readiness.warm_up import PRELOAD

            preload = PRELOAD
        self._console = console
        self._engine = start(preload, 1, cluster, device)

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
            At Ctrl-C or SIGTERM, when the job has stopped.
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
        with JobDisplay(self._console, title) as display, stop_requests() as wanted:
            job = begin()
            asked = False
            while not job.done():
                concurrent.futures.wait([job.future], FRAME)
                if wanted and not asked:
                    asked = True
                    job.cancel()
                display.update(job)
            if job.cancelled():
                status = wanted.status or INTERRUPTED  # another terminal may have cancelled it
                raise Interrupted(job.partial, job.latest_progress, status)
            result = job.result()
            if wanted:  # it ended before it could be stopped
                raise Interrupted(result, status=wanted.status)
            display.close(describe(result))
            return result
