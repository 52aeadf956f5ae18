"""Search beyond the minima that the starts lead to, by crossing the best of them with others.

In some regions a model does not depend on some parameters, such as those of flow below the yield
stress. Nearly all starts may then end in the same inferior minimum: its gradient leads nowhere, but
other values of a few parameters do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.least_squares.residuals import Data
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.outcome import Outcome, lowest, told_apart
from rheojobs.inference.fits.residual_correlation import lag_one_correlation

__all__ = ["search"]

ROUNDS = 12
PATIENCE = 2
"""The most rounds. After `PATIENCE` rounds without gain other parents are used too; after twice as
many the search ends."""

AFRESH = 32
CROSSED = 16
"""How many points are refined in the first round, and how many crossings in later ones."""

PARENTS = 4
"""How many of the lowest minima are crossed if crossing the best one leads no further."""

SHARES = 0.1, 0.7
"""The fraction of the parameters that a crossing takes from another point: drawn between these."""

SAME = 0.2
"""A crossing with an objective this near to the best one's differs in nothing that matters."""


def search(
    objective: Objective,
    ends: Sequence[Outcome],
    points: NDArray[np.float64],
    data: Data,
    x: NDArray[np.float64],
    improve: Callable[[NDArray[np.float64]], Outcome],
) -> Outcome:
    """Look for a lower minimum, unless the ends agree and leave nothing but noise.

    Parameters
    ----------
    objective : Objective
        What is minimized.
    ends : sequence of Outcome
        Where the starts ended.
    points : ndarray, shape (k, d)
        Plausible coordinates.
    data : Data
        What is fitted.
    x : ndarray, shape (n,)
        The x values of the data.
    improve : callable
        Takes starts, shape (n, d), and returns where the most promising one ends.

    Returns
    -------
    Outcome
        The lowest minimum found: one of `ends` if none is lower.
    """
    best = lowest(ends, data)
    level = best.cost + told_apart(best.cost, data)
    if 2 * sum(end.cost <= level for end in ends) > len(ends) and not _is_systematic(best, x):
        return best
    parents, random, idle = [best], np.random.default_rng(0), 0
    for number in range(ROUNDS):
        if idle == 2 * PATIENCE:
            break
        taken = random.random(points.shape) < random.uniform(*SHARES, (len(points), 1))
        drawn = random.integers(len(parents), size=len(points)) * (idle >= PATIENCE)
        crossed = np.where(taken, points, np.stack([parent.u for parent in parents])[drawn])
        tried, count = (points, AFRESH) if number == 0 else (crossed, CROSSED)
        end = improve(_promising(objective, tried, count, best, data))
        idle = 0 if best.cost - end.cost > told_apart(best.cost, data) else idle + 1
        best = lowest([best, end], data)
        parents = _distinct([*parents, end], data)[:PARENTS]
    return best


def _distinct(ends: Sequence[Outcome], data: Data) -> list[Outcome]:
    """Return the ends in the order of their objective, without duplicates of the same height."""
    kept: list[Outcome] = []
    for end in sorted(ends, key=lambda end: end.cost):
        if not kept or end.cost - kept[-1].cost > told_apart(kept[0].cost, data):
            kept.append(end)
    return kept


def _promising(
    objective: Objective, points: NDArray[np.float64], count: int, best: Outcome, data: Data
) -> NDArray[np.float64]:
    """Return the best of the points, without those that are equivalent to the best end."""
    costs = objective.screen(points, data)
    costs = np.where(np.abs(costs - best.cost) < SAME * best.cost, np.inf, costs)
    return points[np.argsort(costs, kind="stable")[:count]]


def _is_systematic(outcome: Outcome, x: NDArray[np.float64]) -> bool:
    """Whether neighbouring residuals are correlated, so that a better fit may exist."""
    residuals = outcome.residuals[:, : len(x)]
    return lag_one_correlation(residuals, x) * math.sqrt(residuals.size) > 1.0
