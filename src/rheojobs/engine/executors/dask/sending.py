"""What goes to a worker of a cluster: a task and the files that it goes on from; a new listener.

Knows what travels and in which order, not which run goes where.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import file_transfer, worker_side
from rheojobs.engine.executors.dask.held import Whereabouts
from rheojobs.engine.executors.dask.members import ClusterWorker
from rheojobs.engine.executors.dask.run import DaskRun
from rheojobs.engine.executors.pickling import pickle_task

__all__ = ["Sender"]

_GONE = (OSError, TimeoutError, ValueError, KeyError)
"""What Dask raises of a worker that is no longer there."""


class Sender:
    """Sends runs to workers.

    Parameters
    ----------
    client : distributed.Client
        The line to the cluster.
    topic : str
        What this application listens to.
    preload : sequence of str
        What a worker must have imported before its first task.
    receive : callable
        Takes a run and its future when that has ended, or why it could not be sent; called in
        Dask's loop.
    on_sent : callable
        Takes a run that is on its way: words about it may follow.
    """

    def __init__(
        self,
        client: Any,
        topic: str,
        preload: Sequence[str],
        receive: Callable[[DaskRun, Any], object],
        on_sent: Callable[[DaskRun], object],
    ) -> None:
        self._client = client
        self._loop = client.loop.asyncio_loop
        self._topic = topic
        self._preload = tuple(preload)
        self._receive = receive
        self._on_sent = on_sent

    def go(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Have a coroutine run in Dask's loop, whichever thread this is."""
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(coroutine))

    def send(self, control: DaskRun, worker: ClusterWorker, acknowledged: list[str]) -> None:
        """Send a run to a worker, with the files of its folder where there are any."""
        if control.folder is not None and control.folder.is_dir():
            self.go(self._send_with_files(control, worker, acknowledged))
        else:
            self._submit(control, worker, acknowledged)

    async def _send_with_files(
        self, control: DaskRun, worker: ClusterWorker, acknowledged: list[str]
    ) -> None:
        key = control.key
        try:
            files = await asyncio.to_thread(file_transfer.read_files, control.folder)
            if files:
                control.files = await self._client.scatter(
                    [files], workers=[worker.address], hash=False, asynchronous=True
                )
        except _GONE as error:
            self._receive(control, messages.Died(f"its files cannot be sent there: {error}"))
            return
        if control.key == key and not control.ended:
            self._submit(control, worker, acknowledged)

    def _submit(self, control: DaskRun, worker: ClusterWorker, acknowledged: list[str]) -> None:
        run = control.run

        def receive(item: Any) -> None:
            self._loop.call_soon_threadsafe(self._receive, control, item)

        try:
            task = pickle_task(run.task)
        except TypeError as error:
            receive(messages.Failed(error))
            return
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
        future.add_done_callback(receive)
        self._on_sent(control)

    async def adopt(self, control: DaskRun, run: Whereabouts, address: str) -> bool:
        """Have a run of an application before this one tell this one all; False if it is gone."""
        taken: dict[str, bool] = {}
        with contextlib.suppress(*_GONE):
            there = await asyncio.to_thread(file_transfer.digests, control.folder)
            adopt = (worker_side.adopt, run.key, self._topic, there)
            taken = await self._client.run(*adopt, workers=[address], on_error="ignore")
        if not taken.get(address):
            return False
        self._on_sent(control)
        return True
