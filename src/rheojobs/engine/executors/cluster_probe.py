"""Whether a cluster on which a job has run may still be at it, for all that can be told from here.

Knows an address and nothing of what speaks there.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

__all__ = ["is_gone"]

PATIENCE = 2.0


def is_gone(place: str) -> bool:
    """Say whether nobody listens at an address any more, on a machine that says so itself.

    A cluster's workers end with their scheduler. A machine that does not answer at all may be cut
    off from here alone, and its workers busy yet.
    """
    parts = urlsplit(place)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if host is None or port is None:
        return False
    try:
        with socket.create_connection((host, port), PATIENCE):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
