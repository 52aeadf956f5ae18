"""What this process may use of the machine. Knows nothing of the rest."""

from __future__ import annotations

import os

__all__ = ["processors"]


def processors() -> int:
    """Count the processors that this process may use: in a container, fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
