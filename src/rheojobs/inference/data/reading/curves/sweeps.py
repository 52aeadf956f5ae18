"""Tell apart the sweeps in one run of x: up and down, or several from the same start."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sweep", "sweeps_of"]

_SAME = 0.01  # relative difference of values that are the same
_TURN = 0.25  # part of the whole range that x must go back to have turned


class Sweep(NamedTuple):
    """The rows of a sweep and its name."""

    rows: range
    title: str


def sweeps_of(x: NDArray[np.float64], *, is_time: bool = False) -> list[Sweep]:
    """Return the sweeps in `x`; one or none if it is in order, or in no order at all.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Frequencies, shear rates or times in the order of the table.
    is_time : bool
        Times only start again; frequencies and rates turn too, and are compared by their ratios.
    """
    usable = np.flatnonzero(np.isfinite(x) if is_time else np.isfinite(x) & (x > 0))
    if usable.size < 4:
        return []
    values = x[usable] if is_time else np.log(x[usable])
    span = float(np.ptp(values))
    if span <= (0 if is_time else math.log(1.5)):
        return []
    levels = _levels(values, 0.0 if is_time else _SAME)
    pivots = _pivots(values[levels].tolist(), _TURN * span)
    cuts = _cuts(values, levels, pivots, is_time=is_time)
    if not cuts:
        return []
    starts = [0, *(int(usable[cut]) for cut in cuts)]
    ends = [*starts[1:], x.size]
    sweeps = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        part = x[start:end]
        part = part[np.isfinite(part)]
        direction = "up" if part[-1] >= part[0] else "down"
        sweeps.append(Sweep(range(start, end), f"sweep {number}, {direction}"))
    return sweeps


def _levels(values: NDArray[np.float64], same: float) -> NDArray[np.int64]:
    """Return the index of the first of each run of the same values."""
    numbers = values.tolist()  # quicker to walk through than an array
    firsts, level = [0], numbers[0]
    for index, value in enumerate(numbers):
        if abs(value - level) > same:
            firsts.append(index)
            level = value
    return np.array(firsts)


def _pivots(values: Sequence[float], least: float) -> list[int]:
    """Return the places of the ends of `values` and of the turns by at least `least` between."""
    pivots, low, high, direction = [0], 0, 0, 0
    for index in range(1, len(values)):
        low = index if values[index] <= values[low] else low
        high = index if values[index] >= values[high] else high
        if direction >= 0 and values[high] - values[index] >= least:
            if direction > 0:
                pivots.append(high)
            direction, low = -1, index
            high = index
        elif direction <= 0 and values[index] - values[low] >= least:
            if direction < 0:
                pivots.append(low)
            direction, high = 1, index
            low = index
    return [*pivots, len(values) - 1]


def _cuts(
    values: NDArray[np.float64],
    levels: NDArray[np.int64],
    pivots: list[int],
    *,
    is_time: bool,
) -> list[int]:
    """Return where sweeps begin, as places in `values`; none if any turn is unclear."""
    cuts: list[int] = []
    runs = list(itertools.pairwise(pivots))
    start = 0
    index = 1
    if len(runs) > 1 and runs[0][1] == 1 and runs[1][1] - runs[1][0] > 1:
        # A hold, such as a pre-shear, before the sweep; a single row there is unclear.
        if levels[1] < 2:
            return []
        cuts.append(int(levels[1]))
        start, index = cuts[0], 2
    while index < len(runs):
        first, last = runs[index]
        is_jump = last - first == 1
        if is_jump and index + 1 < len(runs):
            cut = int(levels[last])
            if not _starts_again(values, start, cut, _end(levels, runs, index + 1, values.size)):
                return []
            index += 2
        elif is_jump or is_time:
            return []
        else:
            # The rows at the turn belong half to the way up, half to the way down.
            top = int(levels[first])
            behind = int(levels[first + 1])
            cut = top + (behind - top + 1) // 2
            index += 1
        cuts.append(cut)
        start = cut
    edges = [0, *cuts, values.size]
    if min(end - begin for begin, end in itertools.pairwise(edges)) < (3 if is_time else 2):
        return []
    return cuts


def _end(levels: NDArray[np.int64], runs: list[tuple[int, int]], index: int, size: int) -> int:
    last = runs[index][1] + 1
    return int(levels[last]) if last < levels.size else size


def _starts_again(values: NDArray[np.float64], start: int, cut: int, end: int) -> bool:
    """Whether a sweep has the start, or half of the values, of the one before.

    The parts of a master curve go back too, but to values of their own.
    """
    before, behind = values[start:cut], values[cut:end]
    if abs(behind[0] - before[0]) <= 0.05 * float(np.ptp(before)):
        return True
    near = np.abs(behind[:, None] - before[None, :]).min(axis=1)
    return float(np.mean(near <= _SAME)) >= 0.5
