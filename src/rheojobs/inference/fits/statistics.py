"""Fit diagnostics: standard errors, correlations, information criteria and warnings.

Imports no JAX.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
SLICE = 1 << 17


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
    total, count = 0.0, 0
    for part in _slices(y):
        seen = y[part] != 0
        total += float(np.sum(np.abs(curve[part][seen] / y[part][seen] - 1.0)))
        count += int(np.count_nonzero(seen))
    return 100.0 * total / count if count else math.nan


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
    is_logarithmic = logarithmic and y.min() > 0 and curve.min() > 0
    least = 1.0 if sigma is None or is_logarithmic else sigma.min()

    def seen(part: tuple[slice, slice]) -> tuple[NDArray[np.float64], ...]:
        if is_logarithmic:
            return np.log(y[part]), np.log(curve[part]), np.ones(1)
        return y[part], curve[part], np.ones(1) if sigma is None else (least / sigma[part]) ** 2

    sums = np.zeros((2, len(y), 1))
    for part in _slices(y):
        value, _, weight = seen(part)
        sums[0] += np.sum(weight * value, axis=1, keepdims=True)
        sums[1] += np.sum(np.broadcast_to(weight, value.shape), axis=1, keepdims=True)
    mean = sums[0] / sums[1]
    total = left = 0.0
    for part in _slices(y):
        value, fitted, weight = seen(part)
        total += float(np.sum(weight * (value - mean) ** 2))
        left += float(np.sum(weight * (value - fitted) ** 2))
    return 1.0 - left / total if total > 0 else math.nan


def _slices(y: NDArray[np.float64]) -> Iterator[tuple[slice, slice]]:
    """Yield slices of data, shape (c, n), so that many of them are not copied at a time."""
    for first in range(0, y.shape[1], SLICE):
        yield slice(None), slice(first, first + SLICE)


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
    found: list[str] = []
    strong = np.abs(correlation) > STRONG_CORRELATION
    if np.count_nonzero(strong) <= len(names):  # each with itself
        return found
    for i, j in zip(*np.nonzero(np.triu(strong, 1)), strict=True):
        if not {names[i], names[j]} & but and abs(correlation[i, j]) < 1.0 - 1e-12:
            found.append(
                f"these data hardly distinguish {names[i]} and {names[j]} (correlation "
                f"{correlation[i, j]:.5f})"
            )
    return found
