"""Robust losses: their weights and slopes, and what Huber's formulas make of the residuals.

Imports no JAX; the elementwise functions work on arrays of NumPy and of JAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "TUNING",
    "RobustScatter",
    "large_from",
    "loss_slope",
    "loss_weight",
    "robust_scatter",
]

MAD_TO_SIGMA = 1.4826
TUNING = {"soft_l1": 1.345, "huber": 1.345, "cauchy": 2.385}
"""The number of standard deviations above which a residual is large.

Estimates have then 95 % efficiency if all noise is Gaussian: by Holland & Welsch (1977) for Huber's
and Cauchy's loss; for soft L1, with Huber's constant, by integration of (E ψ')² / E ψ².
"""


def loss_weight(z: Any, loss: str) -> Any:
    """Return the derivative of a loss of squared residuals, elementwise.

    Parameters
    ----------
    z : array
        (residual / scale)².
    loss : str
        One of `options.LOSSES`.
    """
    if loss == "soft_l1":
        return (1.0 + z) ** -0.5
    if loss == "huber":
        return (0.5 * (1.0 + z + abs(z - 1.0))) ** -0.5  # one up to z = 1
    return 1.0 / (1.0 + z) if loss == "cauchy" else 1.0 + 0.0 * z


def loss_slope(z: Any, loss: str) -> Any:
    """Return the derivative of ψ, the residual times its weight, by the residual, elementwise.

    Parameters
    ----------
    z : array
        (residual / scale)².
    loss : str
        One of `options.LOSSES`.
    """
    if loss == "soft_l1":
        return (1.0 + z) ** -1.5
    if loss == "huber":
        return 1.0 * (z <= 1.0)
    return (1.0 - z) / (1.0 + z) ** 2 if loss == "cauchy" else 1.0 + 0.0 * z


def large_from(residuals: NDArray[np.float64], loss: str, typical: float) -> float:
    """Return the size from which on residuals are large, by their median.

    Parameters
    ----------
    residuals : ndarray
        Weighted, of any shape.
    loss : str
        One of `options.LOSSES`, but ``"linear"``.
    typical : float
        The size of the weighted data.
    """
    # If more than half of the data are met exactly, a tiny deviation is still not large.
    spread = max(MAD_TO_SIGMA * float(np.median(np.abs(residuals))), 1e-9 * typical, 1e-100)
    return TUNING[loss] * spread


@dataclass(frozen=True)
class RobustScatter:
    """What the residuals of a robust fit say about the scatter of its estimates.

    Attributes
    ----------
    variance : float
        The factor of (JᵀJ)⁻¹ in the covariance of the estimates; NaN if it cannot be estimated.
    slope : float
        The mean of ψ': the objective rises by ``slope * uᵀJᵀJu`` at a distance u from the minimum.
    """

    variance: float
    slope: float

    @property
    def rise(self) -> float:
        """How far the objective rises at one standard error, all else refitted."""
        return self.variance * self.slope


def robust_scatter(
    residuals: NDArray[np.float64], scale: float, loss: str, free: int
) -> RobustScatter:
    """Estimate the scatter of the estimates of a robust fit by Huber's formulas.

    With ψ = residual × weight, n residuals and p estimates, the covariance is
    K² (Σψ²/(n - p)) / (mean ψ')² (JᵀJ)⁻¹, where K = 1 + (p/n) var ψ' / (mean ψ')². This holds
    whether or not the size of the noise is known: the residuals give the scatter of ψ.

    Parameters
    ----------
    residuals : ndarray, shape (n,)
        Weighted.
    scale : float
        Beyond which they are large.
    loss : str
        One of `options.LOSSES`.
    free : int
        How many parameters were estimated, p.

    Notes
    -----
    Huber, Robust Statistics (1981), section 7.6.
    """
    z = (residuals / scale) ** 2
    slopes, freedom = loss_slope(z, loss), residuals.size - free
    slope = float(np.mean(slopes))
    if freedom <= 0 or slope <= 0:
        return RobustScatter(math.nan, math.nan)
    pull = loss_weight(z, loss) * residuals
    excess = 1.0 + free / residuals.size * float(np.var(slopes)) / slope**2
    variance = excess**2 * float(np.sum(pull**2)) / freedom / slope**2
    return RobustScatter(variance, slope)
