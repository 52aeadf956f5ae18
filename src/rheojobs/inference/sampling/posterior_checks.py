"""Hold draws against the priors, the bounds and the data: what the warnings are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.posterior.priors import NamedPrior
from rheojobs.inference.results import diagnostics
from rheojobs.inference.results.predictions import Predictions
from rheojobs.inference.results.thresholds import BOUND_SHARE

__all__ = ["at_bounds", "misfit", "noise_ratios", "noise_shares", "outside", "undetermined"]

SAME_QUANTILE = 0.1
"""How close each quantile of the draws and of the prior must be to count as the same."""

LIMITED = ("uniform", "loguniform")
"""Given priors with limits that a user chose, as bounds are."""

SIDES = ("lower", "upper")

type _Draws = Mapping[str, NDArray[np.float64]]
type _Summary = Mapping[str, Mapping[str, float]]


def outside(posterior: Posterior, draws: _Draws) -> dict[str, float]:
    """Return the fraction of draws beyond the bounds, for parameters with a given prior."""
    found = {}
    replaced = {other.replaces for other in posterior.substituted.values()}
    for name, (lower, upper) in posterior.bounds.items():
        if name in posterior.given | replaced:
            fraction = float(np.mean((draws[name] < lower) | (draws[name] > upper)))
            if fraction > 0:
                found[name] = fraction
    return found


def undetermined(posterior: Posterior, summary: _Summary, draws: _Draws) -> list[str]:
    """Name the parameters whose draws equal those of a prior that was not given."""
    found = set(_longest_modes(posterior, draws))
    for name, prior in _parameters(posterior).items():
        if name not in posterior.given and _equals(prior, summary[name]):
            found.add(name)
    return [name for name in posterior.sites if name in found]


def _longest_modes(posterior: Posterior, draws: _Draws) -> list[str]:
    """Name the longest times of modes in order whose draws together equal their prior's.

    Those of several such modes are sorted: none of them alone equals the prior.
    """
    terms = posterior.ordered_terms
    times = [] if terms is None else [posterior.sites[column] for column in terms[:, 0]]
    if not times or times[0] in posterior.given:
        return []
    prior = _parameters(posterior)[times[0]]
    for first in range(len(times) - 1):
        pooled = np.concatenate([draws[name].ravel() for name in times[first:]])
        quantiles = np.quantile(pooled, list(diagnostics.QUANTILES.values()))
        if _equals(prior, dict(zip(diagnostics.QUANTILES, quantiles.tolist(), strict=True))):
            return times[first:]
    return []


def _equals(prior: Any, row: Mapping[str, float]) -> bool:
    """Whether the quantiles of draws are those of a prior."""
    reached = _reached(prior, row, list(diagnostics.QUANTILES))
    wanted = list(diagnostics.QUANTILES.values())
    return reached is not None and bool(np.abs(reached - wanted).max() < SAME_QUANTILE)


def at_bounds(posterior: Posterior, summary: _Summary) -> dict[str, str]:
    """Describe the bound at which a posterior lies, such as ``lower bound, 1e-06``, by name."""
    found = {}
    for name, prior in _parameters(posterior).items():
        is_limited = isinstance(prior, NamedPrior) and prior.type in LIMITED
        if name in posterior.given and not is_limited:
            continue
        reached = _reached(prior, summary[name], ["q05", "q95"])
        if reached is None or not np.isfinite(reached).all():
            continue
        low, high = reached.tolist()
        nearest = BOUND_SHARE * (high - low)
        words = [f"{side} bound, {end:g}" for side, end in zip(SIDES, prior.limits, strict=True)]
        is_at = low <= nearest, 1.0 - high <= nearest
        if is_at[0] != is_at[1]:  # at both, it is the whole prior
            found[name] = words[is_at.index(True)]
    return found


def _parameters(posterior: Posterior) -> dict[str, Any]:
    """Return the priors of the sites that are no noise."""
    named = zip(posterior.sites, posterior.priors, strict=True)
    return dict(list(named)[: posterior.first_noise])


def _reached(prior: Any, row: Mapping[str, float], keys: list[str]) -> NDArray[np.float64] | None:
    """Return the prior's probability below some quantiles; None if that is not known."""
    try:
        reached: NDArray[np.float64] = prior.cumulative(np.array([row[key] for key in keys]))
    except NotImplementedError:  # a prior of RheoJAX's without a cdf in NumPyro
        return None
    return reached


def noise_shares(
    posterior: Posterior, draws: _Draws, residuals: Mapping[str, float]
) -> dict[str, float]:
    """Return each noise scale over the size of the data."""
    if not residuals:
        return {}
    seen = posterior.problem.observations
    sizes = np.sqrt(np.mean(seen.y[:, : seen.n] ** 2, axis=1))
    if posterior.likelihood.relative:
        sizes = np.ones_like(sizes)
    medians = [float(np.median(draws[name])) for name in residuals]
    shares = zip(residuals, medians, sizes.tolist(), strict=True)
    return {name: median / size for name, median, size in shares if size > 0}


def noise_ratios(
    posterior: Posterior, draws: _Draws, residuals: Mapping[str, float]
) -> dict[str, float]:
    """Return each noise scale over the residuals at the start, allowing for few data."""
    points = posterior.problem.observations.n
    expected = math.sqrt(points / max(points - len(posterior.sites), 1))
    return {
        name: float(np.median(draws[name])) / (size * expected)
        for name, size in residuals.items()
        if size > 0
    }


def misfit(predictions: Predictions) -> float:
    """Return the residuals' root mean square over all draws, in known standard deviations."""
    residuals = predictions.observed - predictions.predicted
    scaled = residuals / predictions.noise.spread(predictions.predicted)
    return math.sqrt(float(np.mean(scaled**2)))
