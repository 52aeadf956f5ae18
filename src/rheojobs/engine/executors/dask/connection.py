"""Reaching a Dask cluster, saying what is wrong with it, and noticing when it is gone.

Knows no tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rheojobs.engine.executors.dask import worker_side
from rheojobs.errors import InputError

__all__ = [
    "GONE",
    "ClusterLink",
    "connect",
    "is_listening",
    "prepare_workers",
    "version_problems",
]

installed = worker_side.versions

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
KNOCK_TIMEOUT = 4.0
DEFAULT_PORT = 8786
WATCH_SECONDS = 0.25
"""Seconds between two looks at whether the scheduler is there."""

LOOK_SECONDS = 1.0
"""Seconds between two looks at what workers do for others."""

GONE = ("closing", "closed")
"""The states of a client that will not find its scheduler again."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def connect(address: str, security: Any) -> Any:
    """Connect to a scheduler."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "a Dask cluster needs the package distributed: pip install 'rheojobs[dask]'"
        ) from None
    parts = urlsplit(address if "//" in address else f"tcp://{address}")
    if parts.scheme != "tls" and (parts.hostname or "") not in LOOPBACK:
        logger.warning(
            "%s is not encrypted: whoever reaches it can run code on its workers and here; "
            "use tls:// with security=",
            address,
        )
    try:
        _knock(parts)
        return Client(  # type: ignore[no-untyped-call]
            address,
            security=security,
            set_as_default=False,
            timeout=CONNECT_TIMEOUT,
            name="rheojobs",
        )
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise InputError(f"no Dask scheduler answers at {address}: {error}") from None


def _knock(parts: SplitResult) -> None:
    """Raise `OSError` where nobody listens: Dask would go on trying until its time is up."""
    if parts.scheme in ("tcp", "tls") and parts.hostname:
        where = (parts.hostname, parts.port or DEFAULT_PORT)
        socket.create_connection(where, timeout=KNOCK_TIMEOUT).close()


async def is_listening(client: Any, address: str) -> bool:
    """Say whether somebody listens at an address, seen from the scheduler; nobody does at none.

    Dask itself would go on trying for half a minute.
    """

    async def knock(address: str) -> bool:  # travels as it stands: no rheojobs is needed there
        import asyncio

        from distributed.comm.addressing import get_address_host_port

        try:
            connecting = asyncio.open_connection(*get_address_host_port(address))
            _, writer = await asyncio.wait_for(connecting, 2.0)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return bool(address) and bool(await client.run_on_scheduler(knock, address))


def version_problems(client: Any) -> list[str]:
    """Say, in a line for each worker, what is of another version there than here; logs them too."""
    here = installed()
    problems = []
    for address, there in sorted(client.run(worker_side.versions, on_error="return").items()):
        if isinstance(there, Exception):
            problems.append(f"worker {address} cannot import rheojobs: {there}")
            continue
        unlike = [
            f"{name} {there.get(name) or 'missing'} (here {version or 'missing'})"
            for name, version in here.items()
            if there.get(name) != version
        ]
        if unlike:
            problems.append(f"worker {address} has {', '.join(unlike)}")
    for problem in problems:
        logger.warning("%s", problem)
    return problems


def prepare_workers(client: Any, preload: Sequence[str]) -> None:
    """Have all workers, and those that come later, make their imports."""
    if not preload:
        return
    from rheojobs.engine.executors.dask.plugin import Preparation

    try:
        client.register_plugin(Preparation(preload))
    except Exception as error:  # whatever a worker's Python raises; its first task will wait
        logger.warning("the workers are not prepared: %s", error)


class ClusterLink:
    """A client's line to its scheduler: what is heard over it, and whether it holds.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    handlers : mapping of str to callable
        Called, in the client's loop, with the events of each topic.
    on_lost : callable
        Called when the scheduler is gone; with True when the client has given it up.
    on_back : callable
        Called when a scheduler answers again under its address: one that knows nothing.
    look_around : callable
        Awaited now and then while the line holds.
    """

    def __init__(
        self,
        client: Any,
        handlers: Mapping[str, Callable[[Any], object]],
        on_lost: Callable[[bool], object],
        on_back: Callable[[], object],
        look_around: Callable[[], Awaitable[object]],
    ) -> None:
        self._client = client
        self._handlers = handlers
        self._on_lost = on_lost
        self._on_back = on_back
        self._look_around = look_around
        self._listen()
        self._watching = asyncio.run_coroutine_threadsafe(self._watch(), client.loop.asyncio_loop)

    def close(self) -> None:
        """Hear nothing any more."""
        self._watching.cancel()
        if self._client.status == "running":
            for topic in self._handlers:
                with contextlib.suppress(ValueError):  # it has gone meanwhile
                    self._client.unsubscribe_topic(topic)

    def have(self, address: str, function: Any, *args: Any, nanny: bool = False) -> None:
        """Have a worker's event loop, or its nanny's, call a function; waits for nothing."""

        async def call() -> None:
            with contextlib.suppress(OSError, TimeoutError, ValueError):  # it is gone
                await self._client.run(
                    function, *args, workers=[address], nanny=nanny, on_error="ignore"
                )

        asyncio.run_coroutine_threadsafe(call(), self._client.loop.asyncio_loop)

    def _listen(self) -> None:
        for topic, handler in self._handlers.items():
            self._client.subscribe_topic(topic, handler)

    async def _watch(self) -> None:
        is_there, due = True, time.monotonic()
        while self._client.status not in GONE:
            await asyncio.sleep(WATCH_SECONDS)
            was_there, is_there = is_there, self._client.status == "running"
            if was_there and not is_there:
                self._on_lost(False)
            elif is_there and not was_there:
                self._listen()
                self._on_back()
            elif is_there and time.monotonic() >= due:
                await self._look_around()
                due = time.monotonic() + LOOK_SECONDS
        self._on_lost(True)
