"""The resources of the machine that this process may use: processors, a device."""

from __future__ import annotations

import os

__all__ = ["DEVICE", "processors"]

DEVICE = "RHEOJOBS_DEVICE"
"""The environment variable that names the device on which JAX computes, such as ``gpu:0``."""


def processors() -> int:
    """Return how many processors this process may use; in a container, they may not be all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
