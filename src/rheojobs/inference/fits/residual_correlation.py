"""Test whether neighbouring residuals are correlated, which least squares takes them not to be.

Imports no JAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LagOne", "lag_one", "lag_one_correlation"]

SIGNIFICANT = 2.6
"""Standard deviations above what independent residuals give, from which on they are correlated."""

NOTABLE = 1.1
"""Standard errors that are too small by less than this factor are not worth a warning."""

RESOLVED = 1e-8
"""A direction of the Jacobian below this part of the largest is none."""

FEWEST = 5
"""Degrees of freedom below which nothing can be said."""

SLICE = 1 << 17
"""Values at a time, so that many of them are not copied."""

EXACT = 1e-6
"""Residuals below this part of the data are rounding errors, or those of a model's own solver."""


@dataclass(frozen=True)
class LagOne:
    """The correlation of neighbouring residuals.

    Attributes
    ----------
    correlation : float
        Of the lag one; NaN if there are too few residuals, or nothing but rounding errors.
    deviation : float
        Its excess over what independent residuals of this fit would give, in standard deviations.
    """

    correlation: float = math.nan
    deviation: float = math.nan

    @property
    def is_notable(self) -> bool:
        """Whether the residuals are correlated so far that standard errors mislead."""
        return self.deviation > SIGNIFICANT and self.error_factor > NOTABLE

    @property
    def error_factor(self) -> float:
        """By what factor standard errors are about too small: √((1 + ρ) / (1 - ρ))."""
        rho = min(max(self.correlation, 0.0), 0.99)
        return math.sqrt((1.0 + rho) / (1.0 - rho))

    def words(self, values: int) -> str:
        """Describe what follows for standard errors and AICc of so many values."""
        return (
            f"neighbouring residuals are correlated (lag-1 correlation {self.correlation:.2f}, "
            f"Durbin-Watson {2.0 - 2.0 * self.correlation:.2g}): the curve misses a trend of the "
            "data, or their noise is correlated; standard errors are too small by a factor of "
            f"about {self.error_factor:.2g}, and AICc counts {values} values as independent, of "
            f"which about {max(1, round(values / self.error_factor**2))} are"
        )


def lag_one_correlation(residuals: NDArray[np.float64], x: NDArray[np.float64]) -> float:
    """Return the lag-1 correlation of residuals, shape (c, n), in the order of x, shape (n,)."""
    ordered = _in_order(residuals, x)
    total = float(np.vdot(ordered, ordered))
    return _products(ordered)[0] / total if total > 0 else 0.0


def lag_one(
    residuals: NDArray[np.float64],
    jacobian: NDArray[np.float64],
    x: NDArray[np.float64],
    size: float,
) -> LagOne:
    """Compare the lag-1 correlation of residuals with that of independent ones after such a fit.

    Parameters
    ----------
    residuals : ndarray, shape (c, n)
        Weighted; each component is a series of its own.
    jacobian : ndarray, shape (c, n, d)
        Their derivatives by the free coordinates.
    x : ndarray, shape (n,)
        Gives the order.
    size : float
        The root mean square of the weighted data; 1 for residuals that are logarithms.

    Notes
    -----
    Fitted residuals are r = Me with M = I - QQᵀ, so the moments of the ratio are exact for
    independent Gaussian noise (Durbin & Watson, Biometrika 37 (1950) 409). Its variance is at
    least that under random signs of the residuals as they are, so that few large ones among many
    small ones raise no alarm.
    """
    c, n = residuals.shape
    r = _in_order(residuals, x)
    basis = _range_of(_in_order(jacobian, x).reshape(c * n, -1))
    freedom = c * n - basis.shape[1]
    total = float(np.vdot(r, r))
    if freedom < FEWEST or n < 3 or math.sqrt(total / r.size) <= EXACT * size:
        return LagOne()
    product, square = _products(r)
    correlation = product / total
    moved = _neighbours(basis.reshape(c, n, -1)).reshape(basis.shape)
    inner = basis.T @ moved
    first = -float(np.trace(inner))
    second = 0.5 * c * (n - 1) - 2.0 * float(np.sum(moved**2)) + float(np.sum(inner**2))
    mean = first / freedom
    variance = 2.0 * (second - first**2 / freedom) / (freedom * (freedom + 2.0))
    variance = max(variance, square / total**2)
    return LagOne(correlation, (correlation - mean) / math.sqrt(variance))


def _in_order(values: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values, shape (c, n, ...), in the order of x; no copy if they are."""
    if (x[1:] >= x[:-1]).all():
        return values
    return values[:, np.argsort(x, kind="stable")]


def _products(r: NDArray[np.float64]) -> tuple[float, float]:
    """Return the sum of the products of neighbours along the second axis, and of their squares."""
    product = square = 0.0
    for row in r:
        for first in range(0, len(row) - 1, SLICE):
            part = row[first : first + SLICE + 1]
            products = part[1:] * part[:-1]
            product, square = product + float(np.sum(products)), square + float(products @ products)
    return product, square


def _neighbours(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half the sum of both neighbours along the second axis, shape (c, n, k)."""
    out = np.zeros_like(series)
    out[:, 1:] += 0.5 * series[:, :-1]
    out[:, :-1] += 0.5 * series[:, 1:]
    return out


def _range_of(jacobian: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal basis of the columns' span, shape (m, k)."""
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(jacobian, axis=0)
    good = (lengths > 0) & np.isfinite(lengths)
    used = jacobian[:, good] / lengths[good]
    if used.shape[1] == 0:
        return used
    left, sizes, _ = np.linalg.svd(used, full_matrices=False)
    return np.asarray(left[:, sizes > RESOLVED * sizes.max()])
