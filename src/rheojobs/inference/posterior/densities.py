"""Densities of the named priors, for plots; uses NumPy and `math` only.

Importing SciPy's statistics would block a window for too long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["density", "extent", "share_within"]

type _Floats = NDArray[np.float64]
type _Arguments = Mapping[str, float]

_ROOT = math.sqrt(2.0 * math.pi)
_REACH = 4.0
"""How far a plot extends, in standard deviations."""


def _normal(x: _Floats, a: _Arguments) -> _Floats:
    z = (x - a["loc"]) / a["scale"]
    return np.exp(-0.5 * z**2) / (a["scale"] * _ROOT)


def _lognormal(x: _Floats, a: _Arguments) -> _Floats:
    return _normal(np.log(x), a) / x


def _truncated(x: _Floats, a: _Arguments) -> _Floats:
    ends = [(a[end] - a["loc"]) / a["scale"] / math.sqrt(2.0) for end in ("low", "high")]
    # In the upper tail both shares round to one: use the complement.
    if ends[0] > 0:
        mass = 0.5 * (math.erfc(ends[0]) - math.erfc(ends[1]))
    else:
        mass = 0.5 * (math.erf(ends[1]) - math.erf(ends[0]))
    return _normal(x, a) / max(mass, 1e-300)


def _gamma(x: _Floats, a: _Arguments) -> _Floats:
    k, rate = a["concentration"], a["rate"]
    return np.exp(k * math.log(rate) + (k - 1) * np.log(x) - rate * x - math.lgamma(k))


def _beta(x: _Floats, a: _Arguments) -> _Floats:
    one, zero = a["concentration1"], a["concentration0"]
    low, high = a.get("low", 0.0), a.get("high", 1.0)
    share = (x - low) / (high - low)
    scale = math.lgamma(one + zero) - math.lgamma(one) - math.lgamma(zero)
    scale -= math.log(high - low)
    return np.exp(scale + (one - 1) * np.log(share) + (zero - 1) * np.log1p(-share))


def _loguniform(x: _Floats, a: _Arguments) -> _Floats:
    offset = a.get("offset", 0.0)
    return 1.0 / ((x + offset) * math.log((a["high"] + offset) / (a["low"] + offset)))


_DENSITIES: dict[str, Callable[[_Floats, _Arguments], _Floats]] = {
    "normal": _normal,
    "uniform": lambda x, a: np.full(x.shape, 1.0 / (a["high"] - a["low"])),
    "lognormal": _lognormal,
    "loguniform": _loguniform,
    "halfnormal": lambda x, a: 2.0 * _normal(x, {"loc": 0.0, "scale": a["scale"]}),
    "truncatednormal": _truncated,
    "exponential": lambda x, a: a["rate"] * np.exp(-a["rate"] * x),
    "gamma": _gamma,
    "beta": _beta,
}


def _support(kind: str, a: _Arguments) -> tuple[float, float]:
    if kind == "normal":
        return -math.inf, math.inf
    if kind == "beta":
        return a.get("low", 0.0), a.get("high", 1.0)
    return a.get("low", 0.0), a.get("high", math.inf)


def density(kind: str, arguments: _Arguments, x: _Floats) -> _Floats:
    """Return the density at each x; 0 outside the prior's support.

    Parameters
    ----------
    kind : str
        A key of `PRIOR_TYPES`.
    arguments : mapping
        All of its arguments, as `prior_arguments` gives them.
    x : ndarray, shape (n,)
    """
    low, high = _support(kind, arguments)
    # The density may be infinite at the ends, which hold no probability.
    is_open = kind in ("lognormal", "gamma", "beta")
    inside = (x > low) & (x < high) if is_open else (x >= low) & (x <= high)
    values = np.zeros(x.shape)
    with np.errstate(all="ignore"):
        values[inside] = _DENSITIES[kind](x[inside], arguments)
    return np.where(np.isfinite(values), values, 0.0)


def extent(kind: str, arguments: _Arguments) -> tuple[float, float]:
    """Return the range that holds nearly all of a prior's probability."""
    a = arguments
    low, high = _support(kind, a)
    if kind in ("normal", "truncatednormal"):
        reach = _REACH * a["scale"]
        near = max(low, a["loc"] - reach), min(high, a["loc"] + reach)
        if near[0] < near[1]:
            return near
        # A tail far from the middle.
        return (low, low + reach) if math.isfinite(low) else (high - reach, high)
    if kind == "lognormal":
        return tuple(  # type: ignore[return-value]
            math.exp(min(max(a["loc"] + sign * _REACH * a["scale"], -700.0), 700.0))
            for sign in (-1, 1)
        )
    if kind == "halfnormal":
        return 0.0, _REACH * a["scale"]
    if kind == "exponential":
        return 0.0, 7.0 / a["rate"]
    if kind == "gamma":
        k = a["concentration"]
        return 0.0, (k + 6.0 * math.sqrt(k) + 3.0) / a["rate"]
    return low, high


def share_within(kind: str, arguments: _Arguments, lower: float, upper: float) -> float:
    """Return approximately the probability of a prior between two limits, from 0 to 1."""
    first, last = extent(kind, arguments)
    if kind in ("lognormal", "loguniform"):
        offset = arguments.get("offset", 0.0)
        ends = math.log(first + offset), math.log(last + offset)
        x = np.clip(np.exp(np.linspace(*ends, 4001)) - offset, first, last)
        weight = density(kind, arguments, x) * (x + offset)
    else:
        # Midpoints: the density may be infinite at the ends.
        width = (last - first) / 4000
        x = np.asarray(first + width * (np.arange(4000) + 0.5), dtype=np.float64)
        weight = density(kind, arguments, x)
    whole = float(weight.sum())
    inside = float(weight[(x >= lower) & (x <= upper)].sum())
    return inside / whole if whole > 0 else math.nan
