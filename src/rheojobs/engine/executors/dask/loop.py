"""Application side: work in Dask's event loop, started from any thread, and slow work beside it.

Work that may take long or is user code (pickling, files) runs on a few threads of its own, since
Dask's loop also sends the heartbeats.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["LoopTasks"]

logger = logging.getLogger(__name__)

R = TypeVar("R")

THREADS = 4


class LoopTasks:
    """Starts coroutines in an event loop and refers to them until they end, as asyncio requires.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        That of Dask's client.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rheojobs-dask")

    def start(
        self,
        coroutine: Coroutine[Any, Any, object],
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        """Run a coroutine in the loop; nothing happens if the loop has been closed.

        Parameters
        ----------
        coroutine : coroutine
            The coroutine.
        on_error : callable, optional
            Called with the exception that the coroutine raises; by default it is logged.
        """
        if not self.call(self._start_here, coroutine, on_error):
            coroutine.close()

    def call(self, function: Callable[..., object], *args: Any) -> bool:
        """Call a function in the loop soon; return False if the loop has been closed."""
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop is closed
            return False
        return True

    async def in_thread(self, function: Callable[..., R], *args: Any) -> R:
        """Call a function on a thread beside the loop, and return its result."""
        return await self._loop.run_in_executor(self._pool, function, *args)

    def close(self) -> None:
        """End the threads, without waiting for work in progress."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start_here(
        self,
        coroutine: Coroutine[Any, Any, object],
        on_error: Callable[[Exception], object] | None,
    ) -> None:
        task = self._loop.create_task(_guarded(coroutine, on_error))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _guarded(
    coroutine: Coroutine[Any, Any, object], on_error: Callable[[Exception], object] | None
) -> None:
    try:
        try:
            await coroutine
        except Exception as error:
            if on_error is None:
                raise
            on_error(error)
    except Exception:
        logger.exception("a task in the event loop of the cluster failed")
