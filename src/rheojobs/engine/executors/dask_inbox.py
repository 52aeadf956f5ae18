"""What comes from a cluster about a run, put in order: events, what is called for, the ending.

Runs in Dask's event loop. Knows how messages travel, not what becomes of a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
from collections.abc import Callable
from typing import Any

from rheojobs.engine import messages
from rheojobs.engine.executors import dask_folders, dask_worker, shipping
from rheojobs.engine.executors.dask_run import DaskRun

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
                    await self._fetch_left(control)
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
        data = item.get("message")
        if data is None and control.worker is not None:
            address = control.worker.address
            with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError):
                found = await self._client.run(
                    dask_worker.take, control.key, item["number"], workers=[address]
                )
                data = found.get(address)
        return None if data is None else _read(data)

    async def _fetch_left(self, control: DaskRun) -> None:
        """Take what a run had kept and not sent when its worker died: its nanny can read it."""
        nanny = control.worker.nanny if control.worker is not None else ""
        if not nanny:
            return
        patience = CANCELLED_SECONDS if control.cancelled else FETCH_SECONDS
        with contextlib.suppress(OSError, TimeoutError, ValueError, KeyError):  # it died too
            there = await asyncio.to_thread(shipping.digests, control.folder)
            ask = self._client.run(
                dask_folders.left, control.key, there, workers=[nanny], on_error="ignore"
            )
            found = (await asyncio.wait_for(ask, patience)).get(nanny, ())
            for message in found:
                if isinstance(message, messages.Kept):
                    await _keep(control, message)
                else:
                    self._pass_on(control, message)
            gone = self._client.run(dask_folders.discard, control.key, workers=[nanny])
            await asyncio.wait_for(gone, patience)

    async def _outcome(self, control: DaskRun, future: Any) -> messages.Message | None:
        """Give the last message of a run, whose future has ended somehow."""
        if future is not control.future:
            return None
        if future.status == "finished":
            try:
                return _read(await self._client.gather(future, asynchronous=True))
            except Exception as error:  # the worker went before the result came
                return messages.Died(f"the worker died: {error}")
        if self._client.status != "running":
            return messages.Lost(f"the scheduler {self._place} is gone")
        return messages.Died(f"the cluster gave the task up ({future.status})")


async def _keep(control: DaskRun, message: messages.Kept) -> None:
    if control.folder is None:
        return
    try:
        await asyncio.to_thread(shipping.keep, control.folder, message)
    except OSError as error:  # a full disk, or a folder that may not be written
        logger.warning("a checkpoint cannot be kept in %s: %s", control.folder, error)


def _read(data: bytes) -> messages.Message:
    try:
        return pickle.loads(data)  # type: ignore[no-any-return]
    except Exception as error:  # the result names classes that are not to be had here
        text = f"the result cannot be read in this process: {error}"
        return messages.Failed(TypeError(text))


def _is_said_in_between(item: Any) -> bool:
    """Whether an event tells a failure while its task still runs."""
    return isinstance(item, dict) and not item.get("ends")
