"""Importance sampling about the maxima of a posterior: weighted points, and what they say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.pareto_smoothing import largest_good_k, smoothed
from rheojobs.inference.sampling.importance.modes import Modes, Points
from rheojobs.inference.sampling.importance.student_t import StudentT

__all__ = ["Weighted", "weighted_points"]

LEAST_EFFICIENCY = 0.1
"""The share of effective points below which k̂ is not trusted.

It knows only of where there are points: about a ridge that is narrow and curved there are none,
and the few near the maximum have even weights. Of sixteen posteriors whose previews are right
(benchmarks/posteriors.py), the share is 0.15 or more; of such ridges, 0.06 or less.
"""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Weighted:
    """Points of a posterior with importance weights.

    Attributes
    ----------
    values : ndarray, shape (n, d)
        The values of the sites at each.
    log_weights : ndarray, shape (n,)
        The logarithms of the smoothed weights: their mean estimates the posterior's integral.
    k : float
        The Pareto k̂ of the weights' tail.
    """

    values: Floats
    log_weights: Floats
    k: float

    @property
    def is_reliable(self) -> bool:
        """Whether k̂ is small enough for the number of points, and enough of them count."""
        is_steady = self.k <= largest_good_k(self.log_weights.size)
        return is_steady and self.efficiency >= LEAST_EFFICIENCY

    @property
    def efficiency(self) -> float:
        """The effective number of points, as a share of all."""
        total = float(np.sum(self.shares**2))
        return 1.0 / (total * self.log_weights.size) if total > 0 else 0.0

    @property
    def shares(self) -> Floats:
        """The weights, which add up to 1; all are zero if no point has a density."""
        top = float(self.log_weights.max())
        if not math.isfinite(top):
            return np.zeros(self.log_weights.size)
        weights = np.exp(self.log_weights - top)
        return np.asarray(weights / weights.sum())


def weighted_points(
    modes: Modes,
    count: int,
    random: np.random.Generator,
    check: Callable[[], None],
    is_enough: Callable[[], bool] = lambda: False,
) -> Weighted:
    """Draw points about the maxima, by their shares, and weight them by the posterior's density.

    Parameters
    ----------
    modes : Modes
        The maxima.
    count : int
        How many points.
    random : Generator
        Of the points.
    check : callable
        Called before each call of the model; may raise.
    is_enough : callable, optional
        Called after each call of the model; if it returns True, no more points are evaluated.
    """
    unit = StudentT.unit(len(modes.posterior.sites))
    parts: list[Points] = []
    sizes = []
    for mode, wanted in enumerate(_counts(modes, count)):
        begin = len(parts)
        for part in modes.evaluated(mode, unit.draw(random, wanted), check):
            parts.append(part)
            if is_enough():
                break
        sizes.append(sum(len(part.z) for part in parts[begin:]))
    found = Points.joined(parts)
    shares = np.array(sizes) / sum(sizes)
    log_weights, k = smoothed(found.log_density - _log_proposal(modes, unit, found, shares))
    return Weighted(found.values, log_weights, k)


def _counts(modes: Modes, count: int) -> list[int]:
    """Return how many points are drawn about each maximum, at least a tenth of an even share."""
    least = 0.1 * count / len(modes.shares)
    return [math.ceil(max(least, share * count)) for share in modes.shares]


def _log_proposal(modes: Modes, unit: StudentT, points: Points, shares: Floats) -> Floats:
    """Return the log density, in z, of the mixture from which points were drawn."""
    parts = [
        math.log(share) - geometry.log_volume + unit.log_density(rows)
        for share, geometry, rows in zip(
            shares, modes.geometries, modes.whitened(points), strict=True
        )
    ]
    return np.asarray(np.logaddexp.reduce(parts, axis=0))
