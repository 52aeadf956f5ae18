"""Application side: sends a task and its files to a worker, and reattaches to a run there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import file_transfer, worker_side
from rheojobs.engine.executors.dask.connection import UNREACHABLE
from rheojobs.engine.executors.dask.loop import LoopTasks
from rheojobs.engine.executors.dask.members import ClusterWorker
from rheojobs.engine.executors.dask.run import DaskRun
from rheojobs.engine.executors.pickling import pickle_task

__all__ = ["Sender"]


class Sender:
    """Sends runs to workers.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    tasks : LoopTasks
        The client's event loop.
    topic : str
        The topic of this application's events.
    preload : sequence of str
        Functions that a worker must have called before its first task.
    receive : callable
        Receives a run and its future when that is done, or a message if it could not be sent;
        called in Dask's event loop.
    on_sent : callable
        Receives a run that was sent: requests about it may follow.
    on_error : callable
        Receives a run and the exception that sending it raised.
    """

    def __init__(
        self,
        client: Any,
        tasks: LoopTasks,
        topic: str,
        preload: Sequence[str],
        receive: Callable[[DaskRun, Any], object],
        on_sent: Callable[[DaskRun], object],
        on_error: Callable[[DaskRun, Exception], object],
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._topic = topic
        self._preload = tuple(preload)
        self._receive = receive
        self._on_sent = on_sent
        self._on_error = on_error

    def send(self, control: DaskRun, worker: ClusterWorker, acknowledged: list[str]) -> None:
        """Send a run to a worker, with the files of its folder if there are any."""
        sending = self._send(control, worker, acknowledged)
        self._tasks.start(sending, partial(self._on_error, control))

    async def _send(self, control: DaskRun, worker: ClusterWorker, acknowledged: list[str]) -> None:
        key = control.key
        try:
            task, files = await self._tasks.in_thread(_read, control)
            if files:
                control.files = await self._client.scatter(
                    [files], workers=[worker.address], hash=False, asynchronous=True
                )
        except TypeError as error:
            self._receive(control, messages.Failed(error))
            return
        except UNREACHABLE as error:
            self._receive(control, messages.Died(f"its files cannot be sent there: {error}"))
            return
        if control.key == key and not control.ended:
            self._submit(control, worker, task, acknowledged)

    def _submit(
        self, control: DaskRun, worker: ClusterWorker, task: bytes, acknowledged: list[str]
    ) -> None:
        run = control.run
        control.connection = self._client.scheduler_comm
        control.future = future = self._client.submit(
            worker_side.run_here,
            self._topic,
            control.key,
            task,
            run.restored,
            control.files[0] if control.files else {},
            run.memory,
            self._preload,
            acknowledged,
            key=f"rheojobs-{control.key}",
            workers=[worker.address],
            allow_other_workers=False,
            resources=worker.claims(run) or None,
            priority=run.priority,
            pure=False,
            retries=0,
        )
        future.add_done_callback(partial(self._tasks.call, self._receive, control))
        self._on_sent(control)

    async def attach(self, control: DaskRun, worker: ClusterWorker) -> bool:
        """Have a run on a worker send its messages here; return False if it is not there."""
        found: dict[str, bool] = {}
        control.connection = self._client.scheduler_comm
        with contextlib.suppress(*UNREACHABLE):
            digests = await self._tasks.in_thread(file_transfer.digests, control.folder)
            found = await self._client.run(
                worker_side.attach,
                control.key,
                self._topic,
                digests,
                workers=[worker.address],
                on_error="ignore",
            )
        if not found.get(worker.address):
            return False
        self._on_sent(control)
        return True


def _read(control: DaskRun) -> tuple[bytes, dict[str, bytes]]:
    """Return the task of a run, pickled, and the files of its folder by name."""
    return pickle_task(control.run.task), file_transfer.read_files(control.folder)
