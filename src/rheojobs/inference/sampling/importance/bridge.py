"""The integral of a density by bridge sampling, from draws of it and of a proposal. Pure NumPy.

References
----------
X.-L. Meng, W. H. Wong, Statistica Sinica 6 (1996) 831-860 (the optimal bridge);
S. Frühwirth-Schnatter, Econometrics Journal 7 (2004) 143-167 (its error);
Q. F. Gronau et al., J. Math. Psychol. 81 (2017) 80-97 (in practice).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.convergence import FEWEST_DRAWS, Convergence

__all__ = ["bridged"]

MAX_ROUNDS = 1000
NEAR_ENOUGH = 1e-10

type Floats = NDArray[np.float64]


def bridged(drawn: Floats, inside: NDArray[np.bool_], proposed: Floats) -> tuple[float, float]:
    """Return the logarithm of the integral of a density q, and its standard error.

    Parameters
    ----------
    drawn : ndarray, shape (chains, n)
        The logarithm of q / g at draws from q, in the order of each chain, where g is the
        normalized density of the proposal; values outside count for nothing.
    inside : ndarray of bool, shape (chains, n)
        Which draws belong to the part of q that is integrated.
    proposed : ndarray, shape (m,)
        The same at draws from g; minus infinity outside of that part.

    Returns
    -------
    log_integral, error : float
        The error is NaN if the autocorrelation of the draws is not known.
    """
    visiting = inside.any(axis=1)
    drawn, inside = drawn[visiting], inside[visiting]
    ratios = drawn[inside]
    middle = float(np.median(ratios))
    effective = _size(np.where(inside, drawn, middle)) * inside.mean()
    known = effective if np.isfinite(effective) else float(ratios.size)
    s1, s2 = np.array([known, proposed.size]) / (known + proposed.size)
    at_draws, at_proposals = np.exp(ratios - middle), np.exp(proposed - middle)
    r = 1.0
    for _ in range(MAX_ROUNDS):
        up = np.mean(at_proposals / (s1 * at_proposals + s2 * r))
        before, r = r, up / np.mean(1.0 / (s1 * at_draws + s2 * r))
        if abs(r - before) <= NEAR_ENOUGH * r:
            break
    with np.errstate(divide="ignore"):
        log_integral = float(np.log(r)) + middle
    return log_integral, _error(drawn - middle, inside, at_proposals, (s1, s2, r))


def _error(
    drawn: Floats,
    inside: NDArray[np.bool_],
    at_proposals: Floats,
    bridge: tuple[float, float, float],
) -> float:
    """Return the relative error of the integral, which is the error of its logarithm."""
    s1, s2, r = bridge
    if not r > 0:
        return np.nan
    upper = at_proposals / (s1 * at_proposals + s2 * r)
    lower = 1.0 / (s1 * np.exp(np.where(inside, drawn, 0.0)) + s2 * r)
    mean = lower[inside].mean()
    # Of the mean over the draws inside, whose number is itself random.
    deviations = np.where(inside, lower - mean, 0.0) / inside.mean()
    of_draws = np.var(deviations) / mean**2 / _size(deviations)
    of_proposals = np.var(upper) / upper.mean() ** 2 / upper.size
    return float(np.sqrt(of_proposals + of_draws))


def _size(series: Floats) -> float:
    """Return the effective size of series, shape (chains, n); NaN if it is not known."""
    if series.shape[1] < FEWEST_DRAWS:
        return np.nan
    with np.errstate(all="ignore"):
        return float(Convergence(series[None]).ess_mean[0])
