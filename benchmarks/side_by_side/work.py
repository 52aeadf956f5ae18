"""What jobs do and fits get; importable by the workers of every side."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["empty", "relaxations", "report_often", "text"]


def empty() -> None:
    """Do nothing."""


def text(size: int, number: int) -> str:
    """Return so many characters, no two jobs the same."""
    return f"{number:08d}" * (size // 8)


def report_often(context: Any, seconds: float, per_second: int) -> int:
    """Call `progress` so many times a second, for so long; return how often it was called."""
    begin, calls = time.monotonic(), 0
    while (now := time.monotonic() - begin) < seconds:
        while calls < int(now * per_second):
            calls += 1
            context.progress(calls, int(seconds * per_second), "counting", loss=1.0 / calls)
        context.check()
        time.sleep(0.001)
    return calls


def relaxations(count: int, points: int, plateau: float = 0.0) -> list[tuple[Any, Any]]:
    """Make times and relaxation moduli, each of its own modulus and time, with 2 % noise."""
    import numpy as np

    rng = np.random.default_rng(7)
    made = []
    for _ in range(count):
        modulus, tau = 10 ** rng.uniform(3, 6), 10 ** rng.uniform(-1, 1)
        t = np.geomspace(0.02 * tau, 5 * tau, points)
        noise = 1 + 0.02 * rng.standard_normal(points)
        made.append((t, modulus * (plateau + np.exp(-t / tau)) * noise))
    return made
