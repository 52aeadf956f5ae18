"""Find out from a cluster's address whether a job may still run there."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

__all__ = ["is_gone"]

TIMEOUT = 2.0
"""Seconds to wait for an answer."""


def is_gone(cluster_address: str) -> bool:
    """Return whether the machine at an address refuses connections, so no scheduler is there.

    A cluster's workers end with their scheduler. A machine that does not answer at all may only
    be cut off from here, with its workers still busy.
    """
    parts = urlsplit(cluster_address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if host is None or port is None:
        return False
    try:
        with socket.create_connection((host, port), TIMEOUT):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
