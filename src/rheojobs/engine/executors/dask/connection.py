"""Application side: connects to a Dask cluster, and checks and prepares its workers."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rheojobs.engine.executors.dask import worker_side
from rheojobs.errors import InputError

__all__ = [
    "UNREACHABLE",
    "connect",
    "connection_lost",
    "is_listening",
    "known_workers",
    "prepare_workers",
    "version_problems",
]

installed = worker_side.versions

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a scheduler, at first and when the connection is lost."""

PROBE_TIMEOUT = 4.0
"""Seconds to wait for its machine to answer at all."""

UNREACHABLE = (OSError, TimeoutError, ValueError, KeyError)
"""The exceptions that Dask raises if a scheduler or a worker has gone meanwhile."""

DEFAULT_PORT = 8786
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def connection_lost(address: str) -> str:
    """Return why a run is lost; it cannot be known from here whether the scheduler is gone."""
    return f"the connection to the scheduler {address} is lost"


def connect(address: str, security: Any) -> Any:
    """Return a client that is connected to a scheduler.

    Raises
    ------
    InputError
        If none answers, or Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "a Dask cluster needs the package distributed: pip install 'rheojobs[dask]'"
        ) from None
    parts = urlsplit(address if "//" in address else f"tcp://{address}")
    if parts.scheme != "tls" and (parts.hostname or "") not in LOOPBACK:
        logger.warning(
            "%s is not encrypted: anyone who reaches it can run code on its workers and here; "
            "use tls:// with security=",
            address,
        )
    try:
        _probe(parts)
        return Client(  # type: ignore[no-untyped-call]
            address,
            security=security,
            set_as_default=False,
            timeout=CONNECT_TIMEOUT,
            name="rheojobs",
        )
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise InputError(f"no Dask scheduler answers at {address}: {error}") from None


def _probe(parts: SplitResult) -> None:
    """Raise `OSError` if nothing listens there: Dask would retry until its timeout."""
    if parts.scheme in ("tcp", "tls") and parts.hostname:
        where = (parts.hostname, parts.port or DEFAULT_PORT)
        socket.create_connection(where, timeout=PROBE_TIMEOUT).close()


async def is_listening(client: Any, address: str) -> bool:
    """Return whether something listens at an address, seen from the scheduler's machine.

    Dask itself would retry for half a minute.
    """

    async def probe(address: str) -> bool:  # pickled by value: no rheojobs is needed there
        import asyncio

        from distributed.comm.addressing import get_address_host_port

        try:
            connecting = asyncio.open_connection(*get_address_host_port(address))
            _, writer = await asyncio.wait_for(connecting, 2.0)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return bool(address) and bool(await client.run_on_scheduler(probe, address))


def known_workers(client: Any) -> dict[str, Any]:
    """Return the scheduler's descriptions of the workers by address; not in the event loop.

    `Client.scheduler_info` may return what the client asks for at intervals, without workers.
    """
    found = client.sync(client.scheduler.identity, n_workers=-1)
    return found["workers"]  # type: ignore[no-any-return]


def version_problems(client: Any) -> list[str]:
    """Return and log the packages whose versions differ here and there, in a line per worker."""
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
    """Have all workers, and those that join later, run their preload."""
    if not preload:
        return
    from rheojobs.engine.executors.dask.plugin import Preparation

    try:
        client.register_plugin(Preparation(preload))
    except Exception as error:  # any exception of the worker; its first task imports instead
        logger.warning("the workers are not prepared: %s", error)
