"""Fit diagnostics: standard errors, correlations, information criteria and warnings.

Imports no JAX.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.fit_result import bound_reached

__all__ = [
    "Criteria",
    "correlation_of",
    "covariance_of",
    "criteria",
    "loss_weight",
    "mean_deviation",
    "r_squared",
    "robust_variance",
    "spread_of",
    "warnings_of",
]

POOR_R_SQUARED = 0.9
STRONG_CORRELATION = 0.999


@dataclass(frozen=True)
class Criteria:
    """Akaike's and Bayesian criterion; `aicc` corrected for few data."""

    aic: float
    aicc: float
    bic: float


def criteria(objective: float, values: int, free: int, is_absolute: bool) -> Criteria:
    """Compute information criteria, by which models of the same data are compared.

    Parameters
    ----------
    objective : float
        The weighted sum of squares.
    values : int
        The number of residuals.
    free : int
        The number of estimated parameters.
    is_absolute : bool
        Whether the residuals are in units of their known standard deviation; else their size is
        a parameter too.

    Notes
    -----
    Akaike, IEEE Trans. Autom. Control 19 (1974) 716; Hurvich & Tsai, Biometrika 76 (1989) 297;
    Schwarz, Ann. Stat. 6 (1978) 461.
    """
    if is_absolute:
        deviance, counted = objective, free
    else:
        deviance, counted = values * math.log(max(objective, 1e-300) / values), free + 1
    aic, left = deviance + 2 * counted, values - counted - 1
    return Criteria(
        aic,
        aic + 2 * counted * (counted + 1) / left if left > 0 else math.inf,
        deviance + math.log(values) * counted,
    )


def covariance_of(jacobian: NDArray[np.float64], variance: float) -> NDArray[np.float64]:
    """Compute the covariance of coordinates; infinite for one that the data do not determine.

    Parameters
    ----------
    jacobian : ndarray, shape (m, d)
        Of the weighted residuals.
    variance : float
        Of these residuals.
    """
    d = jacobian.shape[1]
    if not math.isfinite(variance):
        return np.diag(np.full(d, math.inf))
    lengths = np.linalg.norm(jacobian, axis=0)
    scale = np.where(lengths > 0, lengths, 1.0)
    # By singular values: undetermined directions must not affect the others.
    _, singular, directions = np.linalg.svd(jacobian / scale, full_matrices=False)
    known = singular > 1e-8 * singular.max(initial=0.0)
    scaled = directions[known] / singular[known, None]
    covariance = variance * (scaled.T @ scaled) / np.outer(scale, scale)
    lost = np.any(np.abs(directions[~known]) > 1e-3, axis=0) | (lengths == 0)
    covariance[lost, :] = covariance[:, lost] = 0.0
    covariance[lost, lost] = math.inf
    return np.asarray(covariance)


def loss_weight(z: Any, loss: str) -> Any:
    """Return the derivative of a loss of squared residuals, elementwise; for NumPy and JAX.

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


def robust_variance(
    residuals: NDArray[np.float64], scale: float, loss: str, free: int, is_absolute: bool
) -> float:
    """Return the variance by which (JᵀJ)⁻¹ is multiplied for a robust loss.

    Parameters
    ----------
    residuals : ndarray, shape (m,)
        Weighted.
    scale : float
        Beyond which they are large.
    loss : str
        One of `options.LOSSES`.
    free : int
        How many parameters were estimated.
    is_absolute : bool
        Whether the residuals are in units of their known standard deviation.

    Notes
    -----
    Huber, Robust Statistics (1981), ch. 7.6.
    """

    def pull(r: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(loss_weight((r / scale) ** 2, loss) * r)

    step = 1e-4 * (np.abs(residuals) + scale)
    slope = float(np.mean((pull(residuals + step) - pull(residuals - step)) / (2.0 * step)))
    freedom = residuals.size - free
    if freedom <= 0 or slope <= 0:
        return math.nan
    if is_absolute:
        return 1.0 / slope
    return float(np.sum(pull(residuals) ** 2)) / freedom / slope**2


def spread_of(covariance: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transform a covariance of coordinates, (d, d), to parameters by the Jacobian, (p, d)."""
    lost = np.isinf(np.diag(covariance))
    finite = np.where(np.isfinite(covariance), covariance, 0.0)
    out = slopes @ finite @ slopes.T
    open_ended = (np.abs(slopes[:, lost]) > 0).any(axis=1)
    out[open_ended, :] = out[:, open_ended] = 0.0
    out[open_ended, open_ended] = math.inf
    return np.asarray(out)


def correlation_of(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute correlations; NaN for a parameter without a standard error or an infinite one."""
    errors = np.sqrt(np.diag(covariance))
    good = np.isfinite(errors) & (errors > 0)
    out = np.full(covariance.shape, math.nan)
    kept = np.ix_(good, good)
    out[kept] = np.clip(covariance[kept] / np.outer(errors[good], errors[good]), -1.0, 1.0)
    out[good, good] = 1.0
    return out


def mean_deviation(y: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """Compute the mean absolute relative deviation in percent, over the data that are not zero."""
    seen = y != 0
    return float(np.mean(np.abs(curve[seen] / y[seen] - 1.0)) * 100) if seen.any() else math.nan


def r_squared(y: NDArray[np.float64], curve: NDArray[np.float64], logarithmic: bool) -> float:
    """Compute the coefficient of determination, on request of logarithms if these exist."""
    if logarithmic and (y > 0).all() and (curve > 0).all():
        y, curve = np.log(y), np.log(curve)
    total = float(np.sum((y - y.mean(axis=1, keepdims=True)) ** 2))
    return 1.0 - float(np.sum((y - curve) ** 2)) / total if total > 0 else math.nan


def warnings_of(
    parameters: Mapping[str, float],
    uncertainties: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    settled: Sequence[str],
    correlation: NDArray[np.float64],
) -> list[str]:
    """Return warnings in plain words about parameters that should not be trusted.

    Parameters
    ----------
    parameters, uncertainties : mapping
        By name.
    bounds : mapping
        By name.
    settled : sequence of str
        The fixed ones.
    correlation : ndarray, shape (p, p)
        In the order of `parameters`.
    """
    found, lost, weak = [], [], {}
    for name, value in parameters.items():
        if name in settled:
            continue
        lower, upper = bounds[name]
        error = uncertainties[name]
        if words := bound_reached(value, (lower, upper)):
            found.append(
                f"{name} is at its {words} bound, {lower if words == 'lower' else upper:g}: the "
                "data favour a value beyond it, or do not need it; its uncertainty means little"
            )
        elif math.isinf(error):
            lost.append(name)
        elif error > abs(value) > 0:
            weak[name] = error / abs(value)
    if lost:
        found.append(f"these data do not determine {', '.join(lost)}")
    if weak:
        times = ", ".join(f"{name} ({ratio:.2g} times)" for name, ratio in weak.items())
        found.append(
            f"these data hardly determine {times}: the uncertainty is larger than the value"
        )
    # Correlations of the parameters named above are of no interest.
    return found + _inseparable(list(parameters), correlation, {*settled, *lost, *weak})


def _inseparable(
    names: Sequence[str], correlation: NDArray[np.float64], but: set[str]
) -> list[str]:
    """Name pairs of strongly correlated parameters, without those in `but`."""
    found = []
    for i, j in zip(*np.nonzero(np.triu(np.abs(correlation) > STRONG_CORRELATION, 1)), strict=True):
        if not {names[i], names[j]} & but and abs(correlation[i, j]) < 1.0 - 1e-12:
            found.append(
                f"these data hardly distinguish {names[i]} and {names[j]} (correlation "
                f"{correlation[i, j]:.5f})"
            )
    return found
