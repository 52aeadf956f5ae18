"""What the jobs do; importable by every side's workers."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["empty", "report_often"]


def empty() -> None:
    """Do nothing."""


def report_often(context: Any, seconds: float, per_second: int) -> int:
    """Call `progress` so many times a second, for so long; gives how often it was called."""
    begin, calls = time.monotonic(), 0
    while (now := time.monotonic() - begin) < seconds:
        while calls < int(now * per_second):
            calls += 1
            context.progress(calls, int(seconds * per_second), "counting", loss=1.0 / calls)
        context.check()
        time.sleep(0.001)
    return calls
