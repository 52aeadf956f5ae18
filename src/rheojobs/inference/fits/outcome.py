"""Where a start of a fit ended, and which of several ends are the same to the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.least_squares.residuals import Data

__all__ = ["Outcome", "grown", "lowest", "told_apart", "variance"]

TOLD = 0.1
"""A fall by less than this part of the variance moves no parameter by a third of its error.

If no step helps any more, the point is a minimum if the linearized residuals predict no larger
fall: a solution of differential equations, or a series, is never quite smooth.
"""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where a start ended.

    Attributes
    ----------
    u : ndarray, shape (d,)
        The coordinates.
    cost : float
        The objective.
    residuals : ndarray, shape (c, b)
        Weighted; those of padding are zero. Of large data, those that are shown.
    jacobian : ndarray, shape (c, b, d)
        Their derivatives.
    curve : ndarray, shape (c, b)
        The prediction.
    converged : bool
        Whether it is a minimum.
    message : str
        Why it ended.
    """

    u: NDArray[np.float64]
    cost: float
    residuals: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    curve: NDArray[np.float64]
    converged: bool
    message: str

    @property
    def is_usable(self) -> bool:
        """Whether the start could be evaluated."""
        return bool(np.isfinite(self.cost))


def lowest(outcomes: Sequence[Outcome], data: Data) -> Outcome:
    """Return the lowest; of two that the data cannot distinguish, the one that is a minimum."""
    best = min(outcomes, key=lambda outcome: outcome.cost)
    level = best.cost + told_apart(best.cost, data)
    minima = [outcome for outcome in outcomes if outcome.converged and outcome.cost <= level]
    return min(minima or [best], key=lambda outcome: outcome.cost)


def told_apart(cost: float, data: Data) -> float:
    """Return by how much objectives must differ for the data to distinguish them."""
    return TOLD * variance(cost, data)


def variance(cost: float, data: Data) -> float:
    """Return the variance of a residual, if the objective is that of a minimum."""
    values = float(np.sum(data.mask)) * data.y.shape[0]
    return float(cost / max(values - float(np.sum(data.lower < data.upper)), 1.0))


def grown(outcome: Outcome, share: float) -> Outcome:
    """Return an outcome of data that are shown as one of all, which are so many times as many."""
    return replace(outcome, cost=share * outcome.cost, jacobian=np.sqrt(share) * outcome.jacobian)
