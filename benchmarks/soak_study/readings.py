"""What an application and its workers hold, read while they work; robust slopes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["held_by", "size_of", "slope_per_hour"]

MB = 1e6


def held_by(pid: int) -> dict[str, float]:
    """Return what a process holds: memory (MB), open files, threads, memory mappings."""
    import psutil

    process = psutil.Process(pid)
    with process.oneshot():
        memory = process.memory_full_info()
        mappings = len(Path(f"/proc/{pid}/maps").read_text().splitlines())
        return {
            "resident memory, MB": memory.rss / MB,
            "own memory (USS), MB": memory.uss / MB,
            "open files": process.num_fds(),
            "threads": process.num_threads(),
            "memory mappings": mappings,
        }


def size_of(folder: Path, prefix: str = "") -> float:
    """Return the MB of the files below a folder whose names begin so."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)
            if path.startswith(os.path.join(str(folder), prefix)):
                try:
                    total += os.stat(path).st_blocks * 512
                except OSError:  # removed meanwhile
                    continue
    return total / MB


def slope_per_hour(hours: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of Theil and Sen: the median of the slopes of all pairs."""
    from scipy.stats import theilslopes

    return float(theilslopes(values, hours).slope) if len(values) > 2 else float("nan")


def series(readings: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    """Return the hours and the values of one quantity, without readings that lack it."""
    pairs = [(each["hours"], each[name]) for each in readings if name in each]
    return [hours for hours, _ in pairs], [value for _, value in pairs]
