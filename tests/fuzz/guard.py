"""Holds what must hold whatever is read: one public error of one line, bounded time and memory,
and nothing executed or written elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings

from rheojobs.errors import RheojobsError

resource = pytest.importorskip("resource", reason="limits of memory need POSIX")

__all__ = ["MANY", "bounded", "examples", "tree", "tried"]

MANY = int(os.environ.get("RHEOJOBS_FUZZ", "0"))
"""Examples of each test in `make fuzz`; 0 in the gate, where each test names its few."""

SECONDS = 20.0
MEMORY = 1_000_000_000
"""Bytes that reading one small file may add; its processes may use as much."""

_ROOM = 3 << 30


class _HangError(BaseException):
    """Not an `Exception`, which readers translate."""


def examples(few: int, *, share: float = 1.0) -> settings:
    """Return hypothesis' settings: `few` examples in the gate, always the same ones."""
    unhealthy = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    unhealthy += [HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(
        max_examples=max(1, int(MANY * share)) if MANY else few,
        derandomize=not MANY,
        database=None,
        suppress_health_check=unhealthy,
    )


@contextlib.contextmanager
def bounded(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Fail if what happens within takes too long or too much memory.

    Memory is limited too, so that a bomb ends the test and not the machine.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise _HangError

    before = _peaks()
    process = psutil.Process()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (process.memory_info().vms + _ROOM, limits[1]))
    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _HangError as hang:
        raise AssertionError(f"not done after {seconds:g} s") from hang
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
        resource.setrlimit(resource.RLIMIT_AS, limits)
    for name, now, then in zip(("this process", "its processes"), _peaks(), before, strict=True):
        assert now - then < memory, f"{name} used {(now - then) / 1e6:.0f} MB more"


def _peaks() -> tuple[int, int]:
    unit = 1 if sys.platform == "darwin" else 1024
    return tuple(  # type: ignore[return-value]
        resource.getrusage(who).ru_maxrss * unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Return all files below a folder, with their sizes and times."""
    found = {}
    for parent, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(parent, name))
            place = os.fsdecode(os.path.join(parent, name))
            found[place] = (0, 0) if name in folders else (status.st_size, status.st_mtime_ns)
    return found


def tried(
    call: Callable[[], Any],
    *kinds: type[BaseException],
    seconds: float = SECONDS,
    is_printable: bool = True,
) -> Any:
    """Call it; return its result, or its error if that is a public one of one printable line.

    Parameters
    ----------
    call : callable
        What is tried.
    *kinds : type
        Errors that are allowed besides those of rheojobs, such as a documented `ValueError`.
    seconds : float
        The limit of time.
    is_printable : bool
        Whether the message must be printable.
    """
    with bounded(seconds):
        try:
            return call()
        except (RheojobsError, *kinds) as error:
            found = error
    text = str(found)
    assert text, f"a {type(found).__name__} without words"
    assert text.isprintable() or not is_printable, f"not printable: {text!r}"
    assert len(text) < 10_000, f"{len(text)} characters: {text[:300]!r}"
    return found
