"""Bounds that a user gives within the model's: priors end at them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rheojobs.errors import InputError
from rheojobs.inference.posterior.priors import NamedPrior, Prior

__all__ = ["narrowed", "truncated"]

_TRUNCATED = {
    "uniform": "uniform",
    "loguniform": "loguniform",
    "normal": "truncatednormal",
    "truncatednormal": "truncatednormal",
}
"""Types of priors -> the type that they are of when they are cut off."""


def truncated(parameter: str, prior: Prior, lower: float, upper: float) -> Prior:
    """Return a prior cut off at bounds that a user gives.

    Raises
    ------
    InputError
        If it reaches beyond them and is of a type that cannot be cut off, or misses them.
    """
    low, high = prior.limits
    if lower <= low and high <= upper:
        return prior
    if low >= upper or high <= lower:
        raise InputError(
            f"the prior of {parameter} covers {low:g} to {high:g}, which misses its bounds, "
            f"{lower:g} to {upper:g}"
        )
    if not isinstance(prior, NamedPrior) or prior.type not in _TRUNCATED:
        raise InputError(
            f"the prior of {parameter}, {prior.words}, reaches beyond its bounds, {lower:g} to "
            f"{upper:g}: give a uniform, loguniform, normal or truncatednormal one, or no bounds"
        )
    ends = {"low": max(lower, low), "high": min(upper, high)}
    finite = {name: end for name, end in ends.items() if math.isfinite(end)}
    return NamedPrior(_TRUNCATED[prior.type], {**prior.arguments, **finite})


def narrowed(
    model: str,
    wide: Mapping[str, tuple[float, float]],
    given: Mapping[str, tuple[float, float]],
) -> dict[str, tuple[float, float]]:
    """Return the bounds of all parameters within those that are given."""
    bounds = dict(wide)
    for name, (low, high) in given.items():
        lower, upper = max(low, wide[name][0]), min(high, wide[name][1])
        if not lower < upper:
            raise InputError(
                f"{model}: the bounds of {name}, {low:g} to {high:g}, miss those for these data, "
                f"{wide[name][0]:g} to {wide[name][1]:g}"
            )
        bounds[name] = (lower, upper)
    return bounds
