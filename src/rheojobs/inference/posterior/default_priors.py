"""The prior of a parameter for which none is given: one rule for samplings and for the window.

Imports no JAX.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rheojobs.inference.models.parameters import Parameter, log_offset

__all__ = ["default_prior"]


def default_prior(
    parameter: Parameter,
    bounds: tuple[float, float],
    scheme: str = "logarithmic",
    wide: tuple[float, float] | None = None,
) -> Mapping[str, Any] | None:
    """Return the default prior of a parameter within bounds, as a user would write it.

    It is the model's own if it has one. Else it is uniform in the coordinate in which a fit
    searches the parameter: its logarithm if the bounds span decades, or the parameter itself.

    Parameters
    ----------
    parameter : Parameter
        Whose prior it is.
    bounds : tuple of float
        The model's bounds, or narrower ones.
    scheme : str
        A key of `DEFAULT_PRIORS`; ``"rheojax"`` takes no logarithm.
    wide : tuple of float, optional
        The bounds before they were narrowed, the parameter's own by default: narrower ones cut
        the prior off; they do not make it one of another kind.

    Returns
    -------
    mapping or None
        None if the bounds are infinite, or only the sampling knows the prior, since it is centred
        on the start.
    """
    lower, upper = bounds
    if parameter.prior_is_centred:
        return None
    if parameter.prior is not None:
        return _within(parameter.prior, lower, upper)
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        return None
    limits = {"low": float(lower), "high": float(upper)}
    ends = parameter.bounds if wide is None else wide
    offset = log_offset(*ends, parameter.default) if scheme == "logarithmic" else math.nan
    if math.isnan(offset):
        return {"type": "uniform", **limits}
    return {"type": "loguniform", **limits} | ({"offset": offset} if offset else {})


def _within(prior: Mapping[str, Any], lower: float, upper: float) -> Mapping[str, Any]:
    """Scale a Beta prior without limits of its own, as fractional orders have it, to bounds."""
    is_plain = isinstance(prior, Mapping) and prior.get("type") == "beta" and "low" not in prior
    if is_plain and (lower, upper) != (0.0, 1.0):
        return {**prior, "low": float(lower), "high": float(upper)}
    return prior
