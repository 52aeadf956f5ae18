"""Fit diagnostics: standard errors, correlations, information criteria and warnings.

Imports no JAX.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.fit_result import bound_reached

__all__ = [
    "Criteria",
    "correlation_of",
    "covariance_of",
    "criteria",
    "mean_deviation",
    "r_squared",
    "spread_of",
    "warnings_of",
]

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
    Schwarz, Ann. Stat. 6 (1978) 461. The correction of AICc is that of an estimated noise; with a
    known one AIC has no bias that few data would cause (exactly so for a linear model).
    """
    if is_absolute:
        aic = objective + 2 * free
        return Criteria(aic, aic, objective + math.log(values) * free)
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


def r_squared(
    y: NDArray[np.float64],
    curve: NDArray[np.float64],
    logarithmic: bool,
    sigma: NDArray[np.float64] | None = None,
) -> float:
    """Compute the coefficient of determination.

    Parameters
    ----------
    y, curve : ndarray, shape (c, n)
        The data and the curve.
    logarithmic : bool
        Whether it is of the logarithms, if these exist.
    sigma : ndarray, shape (c, n), optional
        Divisors of the residuals: then each value counts with the weight 1/sigma², also in the
        mean of the data.
    """
    if logarithmic and (y > 0).all() and (curve > 0).all():
        y, curve, sigma = np.log(y), np.log(curve), None
    weights = np.ones_like(y) if sigma is None else (sigma.min() / sigma) ** 2
    mean = np.sum(weights * y, axis=1, keepdims=True) / np.sum(weights, axis=1, keepdims=True)
    total = float(np.sum(weights * (y - mean) ** 2))
    return 1.0 - float(np.sum(weights * (y - curve) ** 2)) / total if total > 0 else math.nan


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
