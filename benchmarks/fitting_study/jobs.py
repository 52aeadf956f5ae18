"""Whole fit jobs, submit to completed, of both systems by turns on the same new data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from side_by_side.cases import Case, cases, flow_data
from side_by_side.machine import wait_until_quiet
from side_by_side.sides import Outcome, Rheojax, Rheojobs

from rheojobs import Dataset

__all__ = ["compare_jobs"]


def _carreau() -> Case:
    data = flow_data()
    return Case("carreau", data, tuple(_spread(data, count) for count in (41, 39, 37, 36, 35)))


def _spread(data: Dataset, count: int) -> Dataset:
    """Give so many of the points, first and last among them."""
    import numpy as np

    kept = np.unique(np.linspace(0, len(data) - 1, count).round().astype(int))
    return Dataset(data.x[kept], data.y[kept], data.test_mode, quantity=data.quantity)


def compare_jobs(repeats: int, say: Callable[[str], object]) -> dict[str, Any]:
    """Fit each case first once, then `repeats` times on data of other lengths; gives seconds."""
    found: dict[str, Any] = {}
    ours, theirs = Rheojobs(), Rheojax()
    for case in (*cases(), _carreau()):
        others = case.others or (case.data,)
        for side in (ours, theirs):
            side.open()
        try:
            rows: dict[str, list[dict[str, Any]]] = {}
            for number in range(repeats + 1):
                data = case.data if number == 0 else others[(number - 1) % len(others)]
                sides = (ours, theirs) if number % 2 else (theirs, ours)
                for side in sides:
                    wait_until_quiet()
                    outcome = side.fit(case, data)
                    rows.setdefault(side.name, []).append(_kept(outcome, len(data)))
                    say(f"  {case.model}, {side.name}, {len(data)} points: {outcome.seconds:.3f} s")
        finally:
            for side in (ours, theirs):
                side.close()
        found[case.title] = rows
    return found


def _kept(outcome: Outcome, points: int) -> dict[str, Any]:
    kept: dict[str, Any] = {"points": points, "seconds": outcome.seconds}
    if outcome.error:
        return {**kept, "error": outcome.error}
    return {**kept, "parameters": outcome.parameters}
