"""Pareto-smoothed importance sampling: steady weights, and the diagnostic k̂ of their tail.

The tests compare with ArviZ, which is not used here because importing its statistics takes longer
than the importance sampling.

References
----------
A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry, J. Mach. Learn. Res. 25 (2024) 72;
J. Zhang, M. A. Stephens, Technometrics 51 (2009) 316-325 (the fit of the tail).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["largest_good_k", "smoothed"]

MAX_K = 0.7
"""Above this k̂, importance sampling is not reliable, however many points there are."""

MANY_POINTS = 225
"""With more points, the tail grows as their square root; with fewer, it is a fifth of them."""

FEWEST_IN_TAIL = 5

PRIOR_K, PRIOR_POINTS = 0.5, 10
"""The fitted shape is drawn towards the first, as by so many points of the second."""

type Floats = NDArray[np.float64]


def largest_good_k(points: int) -> float:
    """Return the largest k̂ with which so many points give a reliable answer."""
    return min(MAX_K, 1.0 - 1.0 / math.log10(points)) if points > 10 else 0.0


def smoothed(log_weights: Floats) -> tuple[Floats, float]:
    """Return smoothed logarithms of importance weights, shape (n,), and the k̂ of their tail.

    The largest weights are replaced by the expected ones of a generalized Pareto distribution that
    is fitted to them; none becomes larger than the largest was. They are not normalized. k̂ is
    infinite if there are too few weights to fit their tail, or the largest are all the same.
    """
    count = log_weights.size
    tail = int(3 * math.sqrt(count) if count > MANY_POINTS else count / 5)
    top = float(log_weights.max(initial=-math.inf))
    if tail < FEWEST_IN_TAIL or not math.isfinite(top):
        return log_weights, math.inf
    order = np.argsort(log_weights)
    largest = order[count - tail :]
    cutoff = math.exp(log_weights[order[count - tail - 1]] - top)
    k, sigma = _fitted(np.exp(log_weights[largest] - top) - cutoff)
    if not math.isfinite(k):
        return log_weights, math.inf
    shares = (np.arange(tail) + 0.5) / tail
    out = log_weights.copy()
    out[largest] = np.minimum(np.log(cutoff + _quantiles(shares, k, sigma)), 0.0) + top
    return out, k


def _fitted(excesses: Floats) -> tuple[float, float]:
    """Fit a generalized Pareto distribution to sorted values above 0; return shape and scale."""
    count = excesses.size
    quartile, largest = excesses[int(count / 4 + 0.5) - 1], excesses[-1]
    if not quartile > excesses[0]:
        return math.inf, math.nan
    grid = 30 + int(math.sqrt(count))
    theta = 1.0 / largest + (1.0 - np.sqrt(grid / (np.arange(grid) + 0.5))) / (3.0 * quartile)
    shapes = np.log1p(-theta[:, None] * excesses).mean(axis=1)
    likelihood = count * (np.log(-theta / shapes) - shapes - 1.0)
    weights = np.exp(likelihood - likelihood.max())
    weights = np.where(weights >= 10 * np.finfo(float).eps * weights.sum(), weights, 0.0)
    best = float(theta @ weights / weights.sum())
    shape = float(np.log1p(-best * excesses).mean())
    shrunk = (count * shape + PRIOR_POINTS * PRIOR_K) / (count + PRIOR_POINTS)
    return shrunk, -shape / best


def _quantiles(shares: Floats, k: float, sigma: float) -> Floats:
    """Return quantiles of a generalized Pareto distribution of this shape and scale."""
    if k == 0:
        return np.asarray(-sigma * np.log1p(-shares))
    return np.asarray(sigma * np.expm1(-k * np.log1p(-shares)) / k)
