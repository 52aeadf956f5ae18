"""Reaching a Dask cluster, and saying what is wrong with it: nobody there, in the open, unlike us.

Knows no tasks.
"""

from __future__ import annotations

import logging
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rheojobs.engine.executors import dask_worker
from rheojobs.errors import InputError

__all__ = ["connect", "version_problems"]

installed = dask_worker.versions

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
KNOCK_TIMEOUT = 4.0
DEFAULT_PORT = 8786
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


def version_problems(client: Any) -> list[str]:
    """Say, in a line for each worker, what is of another version there than here; logs them too."""
    here = installed()
    problems = []
    for address, there in sorted(client.run(dask_worker.versions, on_error="return").items()):
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
