"""What comes from a cluster about a run, put in order: events, what is called for, the ending.

Runs in Dask's event loop. Knows how messages travel, not what becomes of a run.
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
from rheojobs.engine.executors.dask.connection import is_listening
from rheojobs.engine.executors.dask.members import ClusterWorker
from rheojobs.engine.executors.dask.run import DaskRun

__all__ = ["Inbox"]

logger = logging.getLogger(__name__)

FETCH_SECONDS = 10.0
"""Seconds that a dead worker's nanny has to answer: its machine may be gone."""

CANCELLED_SECONDS = 1.0
"""The same where somebody waits for the end of a run that had to be killed."""


class Inbox:
    """Turns what comes into messages, one run's in their order.

    Parameters
    ----------
    client : distributed.Client
        The line to the cluster.
    place : str
        The scheduler's address.
    pass_on : callable
        Takes a run and each of its messages.
    on_excess : callable
        Takes a run that has failed while its task still runs: it holds too much memory.
    """

    def __init__(
        self,
        client: Any,
        place: str,
        pass_on: Callable[[DaskRun, messages.Message], object],
        on_excess: Callable[[DaskRun], object],
    ) -> None:
        self._client = client
        self._place = place
        self._pass_on = pass_on
        self._on_excess = on_excess

    def receive(self, control: DaskRun, item: Any) -> None:
        """Put an event, a future or a message into the run's order."""
        control.inbox.append(item)
        if not control.is_delivering:
            control.is_delivering = True
            self._client.loop.asyncio_loop.create_task(self._deliver(control))

    async def _deliver(self, control: DaskRun) -> None:
        try:
            while control.inbox:
                item = control.inbox.popleft()
                message = await self._message(control, item)
                if message is None or control.ended:
                    continue
                if isinstance(message, messages.Kept):
                    await _keep(control, message)
                    continue
                if isinstance(message, messages.Died):
                    await self._bury(control, has_ended=_has_ended(item))
                if isinstance(message, messages.Failed) and _is_said_in_between(item):
                    self._on_excess(control)
                self._pass_on(control, message)
        finally:
            control.is_delivering = False

    async def _message(self, control: DaskRun, item: Any) -> messages.Message | None:
        """Give the message that an event, a future or a death comes to."""
        if isinstance(item, messages.Message):
            return item
        if not isinstance(item, dict):
            return await self._outcome(control, item)
        data, worker = item.get("message"), control.worker
        if data is None and worker is not None:
            with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError):
                ask = (worker_side.take, control.key, item["number"])
                found = self._client.run(*ask, workers=[worker.address])
                data = (await _while_there(worker, found)).get(worker.address)
        return None if data is None else _read(data)

    async def _outcome(self, control: DaskRun, future: Any) -> messages.Message | None:
        """Give the last message of a run, whose future has ended somehow."""
        if future is not control.future or control.worker is None:
            return None
        if future.status == "finished":
            try:
                result = self._client.gather(future, asynchronous=True)
                return _read(await _while_there(control.worker, result))
            except Exception as error:  # the worker went before the result came
                return messages.Died(f"the worker died: {error}")
        if self._client.status != "running":
            return messages.Lost(f"the scheduler {self._place} is gone")
        return messages.Died(f"the cluster gave the task up ({future.status})")

    async def _bury(self, control: DaskRun, has_ended: bool) -> None:
        """See that a run goes on no more where it was, and take what it had kept and not sent.

        Its worker's nanny outlives it, reads its files, and kills it where it is not dead yet.
        Where there is no nanny either, it ends by itself.
        """
        worker = control.worker
        if worker is None or not control.sent:
            return
        worker.is_condemned = True
        patience = CANCELLED_SECONDS if control.cancelled else FETCH_SECONDS
        try:
            knock = is_listening(self._client, worker.nanny)
            if await asyncio.wait_for(knock, patience):
                await asyncio.wait_for(self._fetch_left(control, worker), patience)
                return
        except (OSError, TimeoutError, ValueError, KeyError) as error:  # it died too
            logger.info("what job %s had kept is not to be had: %s", control.run.id[:8], error)
        if not has_ended and not control.cancelled:
            await asyncio.sleep(worker_side.CUT_OFF_SECONDS)

    async def _fetch_left(self, control: DaskRun, worker: ClusterWorker) -> None:
        there = await asyncio.to_thread(file_transfer.digests, control.folder)
        ask = (folders.left, worker.address, control.key, there)
        found = await self._client.run(*ask, workers=[worker.nanny])
        for message in found[worker.nanny]:
            if isinstance(message, messages.Kept):
                await _keep(control, message)
            else:
                self._pass_on(control, message)
        await self._client.run(folders.discard, control.key, workers=[worker.nanny])


async def _while_there(worker: ClusterWorker, asking: Awaitable[Any]) -> Any:
    """Wait for an answer as long as there is somebody to give it: Dask would go on asking.

    Raises
    ------
    ConnectionError
        When the worker has gone.
    """
    answer, gone = asyncio.ensure_future(asking), asyncio.ensure_future(worker.gone.wait())
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ConnectionError(f"{worker.address} has gone")
        return answer.result()
    finally:
        answer.cancel()
        gone.cancel()


async def _keep(control: DaskRun, message: messages.Kept) -> None:
    if control.folder is None:
        return
    try:
        await asyncio.to_thread(file_transfer.keep, control.folder, message)
    except OSError as error:  # a full disk, or a folder that may not be written
        logger.warning("a checkpoint cannot be kept in %s: %s", control.folder, error)


def _read(data: bytes) -> messages.Message:
    try:
        return pickle.loads(data)  # type: ignore[no-any-return]
    except Exception as error:  # the result names classes that are not to be had here
        text = f"the result cannot be read in this process: {error}"
        return messages.Failed(TypeError(text))


def _has_ended(item: Any) -> bool:
    """Whether a future tells of a run that has ended by itself, however it did."""
    return getattr(item, "status", "") == "finished"


def _is_said_in_between(item: Any) -> bool:
    """Whether an event tells a failure while its task still runs."""
    return isinstance(item, dict) and not item.get("ends")
