"""The memory of a process and its children."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

__all__ = ["MEMORY_INTERVAL", "resident_bytes"]

MEMORY_INTERVAL = 0.25
"""Seconds between two measurements of workers that have a memory limit."""


def resident_bytes(pid: int) -> int:
    """Return the resident set of a process and its children in bytes; 0 if it is gone."""
    import psutil  # late: most engines and workers do not need it

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(map(_own_bytes, family))


def _own_bytes(process: psutil.Process) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended meanwhile
        return 0
