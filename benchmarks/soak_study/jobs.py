"""The mixed jobs of a soak; importable by its workers."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from side_by_side.work import relaxations

__all__ = ["KINDS", "task_of"]

MODELS = ("maxwell", "zener", "fractional_maxwell_gel")
SHARES = {"fit": 8, "sampling": 1, "function": 6, "generator": 3, "failing": 2}
KINDS = tuple(SHARES)
_DATA = relaxations(20, 30, plateau=0.1)


def work_with(size: int) -> list[float]:
    """Make a list of numbers and return every hundredth."""
    return [float(number) ** 0.5 for number in range(size)][::100]


def count_slowly(steps: int) -> Iterator[tuple[int, int]]:
    """Report each step of ten milliseconds."""
    for step in range(steps):
        time.sleep(0.01)
        yield step + 1, steps


def fail(number: int) -> None:
    """Fail, with a message of its own."""
    raise ValueError(f"the sample of job {number} has dried out")


def task_of(kind: str, number: int, rng: random.Random) -> Any:
    """Return the task of a job of a kind."""
    from rheojobs import Dataset, FitTask, FunctionTask, SampleTask

    if kind in ("fit", "sampling"):
        t, modulus = rng.choice(_DATA)
        data = Dataset(t, modulus, test_mode="relaxation", name=f"run {number}")
        if kind == "fit":
            return FitTask(rng.choice(MODELS), data)
        return SampleTask("zener", data, num_warmup=100, num_samples=200, num_chains=1)
    if kind == "function":
        return FunctionTask(work_with, (rng.randrange(1_000, 300_000),))
    if kind == "generator":
        return FunctionTask(count_slowly, (rng.randrange(5, 100),))
    return FunctionTask(fail, (number,))
