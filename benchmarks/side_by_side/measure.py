"""Times: of an action, by turns, of processes; and a machine that is quiet between two turns."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

__all__ = [
    "by_turns",
    "children",
    "cpu_of_tree",
    "cpu_seconds",
    "end_children",
    "memory_now",
    "memory_peak",
    "timed",
    "wait_until_quiet",
]

QUIET_SHARE = 0.03
"""Of one processor, that all our children together may use in a quiet moment."""


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Run an action; return the seconds it took, and its result."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def by_turns[T](sides: Mapping[str, Callable[[], T]], turns: int) -> dict[str, list[T]]:
    """Run all sides so often, in an order that is reversed each time; a busy moment hits all."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    for turn in range(turns):
        for name in list(sides)[:: -1 if turn % 2 else 1]:
            found[name].append(sides[name]())
    return found


def cpu_of_tree() -> float:
    """Return the processor time of this process, its threads and its ended children."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Return the processor time that the processes have used; those that have ended count 0."""
    used = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            used += sum(process.cpu_times()[:2])
    return used


def memory_now() -> float:
    """Return what this process and its children hold, MB, and forget the peaks so far.

    NaN except on Linux, whose kernel notes the peaks.
    """
    with contextlib.suppress(OSError):
        for process in _family():
            Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")
    return _noted("VmRSS")


def memory_peak() -> float:
    """Return the most that this process and its children have held since `memory_now`, MB."""
    return _noted("VmHWM")


def _family() -> list[int]:
    return [os.getpid(), *(child.pid for child in children())]


def _noted(name: str) -> float:
    used = 0.0
    for process in _family():
        try:
            lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return math.nan
        used += sum(float(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
    return used / 1024.0


def children() -> list[psutil.Process]:
    """Return the processes started from here, except multiprocessing's tracker.

    The tracker has to stay until this process ends.
    """
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "multiprocessing.resource_tracker" not in " ".join(child.cmdline()):
                found.append(child)
    return found


def wait_until_quiet(timeout: float = 60.0) -> bool:
    """Wait until no child works any more: the side whose turn is next has the machine."""
    deadline = time.monotonic() + timeout
    quiet, before = 0, cpu_seconds(children())
    while quiet < 2 and time.monotonic() < deadline:
        time.sleep(0.3)
        now = cpu_seconds(children())
        quiet = quiet + 1 if abs(now - before) <= 0.3 * QUIET_SHARE else 0
        before = now
    return quiet >= 2


def end_children(grace: float = 3.0) -> int:
    """End all child processes; return how many had to be ended."""
    left = children()
    alive = left
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in alive:
            with contextlib.suppress(psutil.Error):
                end(process)
        _, alive = psutil.wait_procs(alive, timeout=grace)
    return len(left)
