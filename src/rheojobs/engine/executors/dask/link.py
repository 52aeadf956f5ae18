"""Application side: events of the scheduler, calls to workers, and a check of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from rheojobs.engine.executors.dask.connection import UNREACHABLE
from rheojobs.engine.executors.dask.loop import LoopTasks

__all__ = ["GONE", "ClusterLink"]

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
"""Seconds between two checks of the connection."""

LOOK_SECONDS = 1.0
"""Seconds between two checks of the workers."""

GONE = ("closing", "closed")
"""The statuses of a client that will not connect again."""


class ClusterLink:
    """A client's connection to its scheduler.

    An exception of a handler is logged, and the others are still called.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    tasks : LoopTasks
        The client's event loop, in which all handlers are called.
    handlers : mapping of str to callable
        Called with the events of each topic.
    on_disconnect : callable
        Called when the connection is lost; with True if the client will not connect again. Never
        called because of `close`.
    on_reconnect : callable
        Called when there is a new connection: to the same scheduler, which has forgotten this
        client, or to another one at its address.
    look_around : callable
        Awaited at intervals while there is a connection.
    """

    def __init__(
        self,
        client: Any,
        tasks: LoopTasks,
        handlers: Mapping[str, Callable[[Any], object]],
        on_disconnect: Callable[[bool], object],
        on_reconnect: Callable[[], object],
        look_around: Callable[[], Awaitable[object]],
    ) -> None:
        self._client = client
        self._tasks = tasks
        self._handlers = {topic: partial(_guarded, call) for topic, call in handlers.items()}
        self._on_disconnect = partial(_guarded, on_disconnect)
        self._on_reconnect = partial(_guarded, on_reconnect)
        self._look_around = look_around
        self._is_closed = False
        self._subscribe()
        self._watching = asyncio.run_coroutine_threadsafe(self._watch(), client.loop.asyncio_loop)

    def close(self) -> None:
        """Stop handling events."""
        self._is_closed = True  # before the client's status changes, which `_watch` may check
        self._watching.cancel()
        if self._client.status == "running":
            for topic in self._handlers:
                with contextlib.suppress(ValueError, RuntimeError):  # it was closed meanwhile
                    self._client.unsubscribe_topic(topic)

    def call_on_worker(
        self, address: str, function: Any, *args: Any, on_nanny: bool = False
    ) -> None:
        """Have the event loop of a worker, or of its nanny, call a function; does not wait."""

        async def call() -> None:
            with contextlib.suppress(*UNREACHABLE):  # it has left
                await self._client.run(
                    function, *args, workers=[address], nanny=on_nanny, on_error="ignore"
                )

        self._tasks.start(call())

    def _subscribe(self) -> None:
        for topic, handler in self._handlers.items():
            self._client.subscribe_topic(topic, handler)

    async def _watch(self) -> None:
        """Check the connection until it is closed."""
        try:
            await self._watch_until_gone()
        except asyncio.CancelledError:
            if self._is_closed:
                raise
        # The client gave up, or its owner has closed it, and its event loop with it.
        if not self._is_closed:
            self._on_disconnect(True)

    async def _watch_until_gone(self) -> None:
        connection, due = self._connection(), time.monotonic()
        while self._client.status not in GONE:
            await asyncio.sleep(WATCH_SECONDS)
            if self._is_closed:
                return
            before, connection = connection, self._connection()
            if before is not connection:
                if before is not None:
                    self._on_disconnect(False)
                if connection is not None:
                    _guarded(self._subscribe)
                    self._on_reconnect()
            elif connection is not None and time.monotonic() >= due:
                try:
                    await self._look_around()
                except Exception:
                    logger.exception("the workers could not be inspected")
                due = time.monotonic() + LOOK_SECONDS

    def _connection(self) -> object:
        """Return an object that identifies the present connection; None if there is none."""
        return self._client.scheduler_comm if self._client.status == "running" else None


def _guarded(call: Callable[..., object], *args: Any) -> None:
    try:
        call(*args)
    except Exception:
        logger.exception("an event of the cluster could not be handled")
