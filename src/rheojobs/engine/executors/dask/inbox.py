"""Application side: turns events and futures of runs into messages, in order for each run.

Items of an inbox are events, futures that are done, and messages of the executor. They are handled
in Dask's event loop; unpickling, which may run user code, and files on threads beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors.dask import file_transfer, folders, worker_side
from rheojobs.engine.executors.dask.connection import (
    UNREACHABLE,
    connection_lost,
    is_listening,
)
from rheojobs.engine.executors.dask.loop import LoopTasks
from rheojobs.engine.executors.dask.members import ClusterWorker
from rheojobs.engine.executors.dask.run import DaskRun

__all__ = ["Inbox"]

logger = logging.getLogger(__name__)

FETCH_SECONDS = 10.0
"""Seconds that a dead worker's nanny has to answer, as its machine may be gone."""

CANCELLED_SECONDS = 1.0
"""The same for a cancelled run, the end of which the user waits for."""


class Inbox:
    """Handles the events and futures of runs.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    tasks : LoopTasks
        The client's event loop.
    scheduler_address : str
        For error messages.
    pass_on : callable
        Receives a run and each of its messages.
    on_excess : callable
        Receives a run that has failed for too much memory while its task still runs.
    on_error : callable
        Receives a run, the exception that handling one of its messages raised, and whether the
        run has ended; the other messages are still handled.
    """

    def __init__(
        self,
        client: Any,
        tasks: LoopTasks,
        scheduler_address: str,
        pass_on: Callable[[DaskRun, messages.Message], object],
        on_excess: Callable[[DaskRun], object],
        on_error: Callable[[DaskRun, Exception, bool], object],
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._scheduler_address = scheduler_address
        self._pass_on = pass_on
        self._on_excess = on_excess
        self._on_error = on_error

    def receive(self, control: DaskRun, item: Any) -> None:
        """Put an event, a future or a message into the run's inbox; called in the event loop."""
        control.inbox.append(item)
        if not control.is_handling:
            control.is_handling = True
            self._tasks.start(self._handle_all(control))

    async def _handle_all(self, control: DaskRun) -> None:
        try:
            while control.inbox:
                item = control.inbox.popleft()
                try:
                    await self._handle(control, item)
                except Exception as error:
                    self._on_error(control, error, not _still_runs(item))
        finally:
            control.is_handling = False

    async def _handle(self, control: DaskRun, item: Any) -> None:
        message = await self._message(control, item)
        if message is None or control.ended:
            return
        if isinstance(message, messages.Kept):
            await self._write_file(control, message)
            return
        if isinstance(message, messages.Died):
            await self._recover(control, has_ended=_has_ended(item))
        if isinstance(message, messages.Failed) and _still_runs(item):
            self._on_excess(control)
        self._pass_on(control, message)

    async def _message(self, control: DaskRun, item: Any) -> messages.Message | None:
        """Return the message of an event, a future or a message; None if it is out of date."""
        if isinstance(item, messages.Message):
            return item
        if not isinstance(item, dict):
            return await self._ending(control, item)
        data, worker = item.get("message"), control.worker
        if data is None and worker is not None:
            with contextlib.suppress(*UNREACHABLE):
                fetch = (worker_side.take_message, control.key, item["number"])
                found = self._client.run(*fetch, workers=[worker.address])
                data = (await _while_there(worker, found)).get(worker.address)
        if data is None:
            return None
        return _unpickled(data) if item["plain"] else await self._tasks.in_thread(_unpickled, data)

    async def _ending(self, control: DaskRun, future: Any) -> messages.Message | None:
        """Return the last message of a run whose future is done, however it ended."""
        if future is not control.future or control.worker is None:
            return None
        if future.status == "finished":
            try:
                result = self._client.gather(future, asynchronous=True)
                data = await _while_there(control.worker, result)
            except Exception as error:  # the worker left before the result came
                if self._is_connected(control):
                    return messages.Died(f"the worker died: {error}")
                return messages.Lost(connection_lost(self._scheduler_address))
            return await self._tasks.in_thread(_unpickled, data)
        if self._is_connected(control):
            return messages.Died(f"the cluster gave the task up ({future.status})")
        return messages.Lost(connection_lost(self._scheduler_address))

    def _is_connected(self, control: DaskRun) -> bool:
        """Return whether the client still has the connection through which a run was sent."""
        connection = self._client.scheduler_comm
        return self._client.status == "running" and control.connection is connection

    async def _recover(self, control: DaskRun, has_ended: bool) -> None:
        """Make sure that a run has ended on its dead worker, and fetch its unsent files.

        The nanny outlives its worker, kills it if it is not dead yet, and reads its files. Without
        a nanny, the worker stops automatically when it has lost the cluster.
        """
        worker = control.worker
        if worker is None or not control.sent:
            return
        worker.is_leaving = True
        patience = CANCELLED_SECONDS if control.cancelled else FETCH_SECONDS
        try:
            is_there = is_listening(self._client, worker.nanny)
            if await asyncio.wait_for(is_there, patience):
                await asyncio.wait_for(self._fetch_unsent(control, worker), patience)
                return
        except Exception as error:  # the nanny died too, or raised an exception
            logger.info("the files of job %s cannot be fetched: %s", control.run.id[:8], error)
        if not has_ended and not control.cancelled:
            await asyncio.sleep(worker_side.CUT_OFF_SECONDS)

    async def _fetch_unsent(self, control: DaskRun, worker: ClusterWorker) -> None:
        digests = await self._tasks.in_thread(file_transfer.digests, control.folder)
        fetch = (folders.unsent, worker.address, control.key, digests)
        found = await self._client.run(*fetch, workers=[worker.nanny])
        for message in found[worker.nanny]:
            if isinstance(message, messages.Kept):
                await self._write_file(control, message)
            else:
                self._pass_on(control, message)
        await self._client.run(folders.discard, control.key, workers=[worker.nanny])

    async def _write_file(self, control: DaskRun, message: messages.Kept) -> None:
        if control.folder is None:
            return
        try:
            await self._tasks.in_thread(file_transfer.apply, control.folder, message)
        except OSError as error:  # a full disk, or a folder without write permission
            logger.warning("a checkpoint cannot be written to %s: %s", control.folder, error)


async def _while_there(worker: ClusterWorker, asking: Awaitable[Any]) -> Any:
    """Return the answer of a worker; Dask alone would keep asking a worker that has left.

    Raises
    ------
    ConnectionError
        When the worker has left.
    """
    answer, gone = asyncio.ensure_future(asking), asyncio.ensure_future(worker.gone.wait())
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ConnectionError(f"{worker.address} has left")
        return answer.result()
    finally:
        answer.cancel()
        gone.cancel()


def _unpickled(data: bytes) -> messages.Message:
    try:
        return pickle.loads(data)  # type: ignore[no-any-return]
    except Exception as error:  # the result refers to classes that cannot be imported here
        text = f"the result cannot be read in this process: {error}"
        return messages.Failed(TypeError(text))


def _has_ended(item: Any) -> bool:
    """Return whether an item is the future of a run that has ended by itself."""
    return getattr(item, "status", "") == "finished"


def _still_runs(item: Any) -> bool:
    """Return whether an item is an event of a task that still runs."""
    return isinstance(item, dict) and not item.get("ends")
