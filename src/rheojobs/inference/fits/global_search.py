"""Looks beyond the minima that the starts lead to, by crossing the best of them with others.

Where a model is blind to some parameters, as to what happens after yielding where nothing yields,
nearly all starts may end in the same lesser minimum: from there no slope leads on, but some other
values of a few parameters do. Knows arrays and objectives; must not know fits or results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.levenberg_marquardt import Data
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.refine import Outcome, lowest, told_apart

__all__ = ["search"]

ROUNDS = 12
PATIENCE = 2
"""So many rounds, or as many as bring nothing one after another, twice: then from other parents."""

AFRESH = 32
CROSSED = 16
"""So many are refined of the points themselves, in the first round, and then of the crossings."""

PARENTS = 4
"""So many of the lowest minima are crossed, where the best one alone leads no further."""

SHARES = 0.1, 0.7
"""What part of the parameters a crossing takes from elsewhere: drawn between these."""

SAME = 0.2
"""A crossing whose objective is that near the best one's has changed what hardly matters."""


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
        Where the starts have led.
    points : ndarray, shape (k, d)
        Coordinates that are plausible.
    data : Data
        What is fitted.
    x : ndarray, shape (n,)
        Where its points lie.
    improve : callable
        Takes starts, shape (n, d), and gives where the most promising one ends.

    Returns
    -------
    Outcome
        The lowest minimum found: one of `ends`, where none is lower.
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
    """Return the ends by their objective, without those that are as low as one before."""
    kept: list[Outcome] = []
    for end in sorted(ends, key=lambda end: end.cost):
        if not kept or end.cost - kept[-1].cost > told_apart(kept[0].cost, data):
            kept.append(end)
    return kept


def _promising(
    objective: Objective, points: NDArray[np.float64], count: int, best: Outcome, data: Data
) -> NDArray[np.float64]:
    """Return those of the points that are best, and not the best one in disguise."""
    costs = objective.screen(points, data)
    costs = np.where(np.abs(costs - best.cost) < SAME * best.cost, np.inf, costs)
    return points[np.argsort(costs, kind="stable")[:count]]


def _is_systematic(outcome: Outcome, x: NDArray[np.float64]) -> bool:
    """Whether neighbouring residuals are more alike than noise is: a better fit may exist."""
    residuals = outcome.residuals[:, : len(x)][:, np.argsort(x, kind="stable")]
    total = float(np.sum(residuals**2))
    alike = float(np.sum(residuals[:, 1:] * residuals[:, :-1]))
    return alike * math.sqrt(residuals.size) > total
