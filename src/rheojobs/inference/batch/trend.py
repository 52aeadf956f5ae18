"""How a parameter changes from file to file, and where to start a fit that went astray.

Imports no JAX.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rheojobs.inference.models.parameters import spans_decades
from rheojobs.inference.results.fit_result import FitResult

__all__ = [
    "Measured",
    "Trend",
    "TrendPoint",
    "better_of",
    "interval_of",
    "start_from_neighbours",
    "trend_of",
]

NEIGHBOURS = 2
"""Fits on each side of a file whose estimates a new start is made of."""

SAME = 1e-6
"""Part of the objective by which a fit must be better to replace another."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The fit of one file, and where it stands.

    Attributes
    ----------
    number : int
        The number of the file.
    x : float
        Its temperature, concentration, time or number; NaN if it is not known.
    fit : FitResult
        The fit.
    doubt : str
        Why it should not be used as it is; empty if it may be.
    """

    number: int
    x: float
    fit: FitResult
    doubt: str = ""


@dataclass(frozen=True)
class TrendPoint:
    """The estimate of one file.

    Attributes
    ----------
    number : int
        The number of the file.
    x, y : float
        Where it stands, and the estimate.
    low, high : float
        The ends of its interval; equal to `y` if the data do not determine it.
    kind : str
        ``"good"``, ``"doubtful"``, or ``"unconverged"``.
    """

    number: int
    x: float
    y: float
    low: float
    high: float
    kind: Literal["good", "doubtful", "unconverged"] = "good"


@dataclass(frozen=True)
class Trend:
    """The estimates of one parameter.

    Attributes
    ----------
    name, unit : str
        The parameter.
    is_log : bool
        Whether its axis is logarithmic: its bounds are positive and span decades.
    what : str
        What the bars are: ``"95 % interval"`` or ``"standard error"``; empty if there are none.
    points : tuple of TrendPoint
        In the order of the files; files without a value, or without a place on the axis, are
        left out.
    """

    name: str
    unit: str
    is_log: bool
    what: str
    points: tuple[TrendPoint, ...]


def trend_of(measured: Sequence[Measured], name: str) -> Trend:
    """Return the estimates of a parameter."""
    found = [one for one in measured if name in one.fit.parameters and math.isfinite(one.x)]
    # A model of another bound or unit may have a parameter of the same name.
    units = list(dict.fromkeys(one.fit.units.get(name, "") for one in found))
    unit = units[0] if units else ""
    found = [one for one in found if one.fit.units.get(name, "") == unit]
    is_log = bool(found) and all(_is_log(one.fit, name) for one in found)
    is_log = is_log and all(one.fit.parameters[name] > 0 for one in found)
    points = tuple(_point(one, name, is_log) for one in found)
    by_profile = bool(found) and all(name in one.fit.intervals for one in found)
    has_bars = any(point.low < point.high for point in points)
    what = "" if not has_bars else "95 % interval" if by_profile else "standard error"
    return Trend(name, unit, is_log, what, points)


def interval_of(fit: FitResult, name: str) -> tuple[float, float]:
    """Return the interval of an estimate: of 95 % by its profile if it has one, else ± its error.

    Both ends are the estimate itself if the parameter was fixed, or is not determined.
    """
    value = fit.parameters[name]
    low, high = fit.intervals.get(name, (math.nan, math.nan))
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    error = fit.uncertainties.get(name, math.nan)
    return (value - error, value + error) if math.isfinite(error) else (value, value)


def start_from_neighbours(measured: Sequence[Measured], number: int) -> dict[str, float]:
    """Return initial values for a file: the middle of what its neighbours on the axis have.

    Parameters
    ----------
    measured : sequence of Measured
        The fits, of one model.
    number : int
        The file; its own fit only says where it stands.

    Returns
    -------
    dict of str to float
        Of the parameters that were fitted; empty if there are no good neighbours.
    """
    here = next((one.x for one in measured if one.number == number), math.nan)
    good = [one for one in measured if not one.doubt and one.number != number]
    if math.isfinite(here):
        good = [one for one in good if math.isfinite(one.x)]
        below = sorted((one for one in good if one.x <= here), key=lambda one: here - one.x)
        above = sorted((one for one in good if one.x > here), key=lambda one: one.x - here)
        good = below[:NEIGHBOURS] + above[:NEIGHBOURS]
    if not good:
        return {}
    first = good[0].fit
    names = [name for name in first.parameters if name not in first.fixed | first.tied]
    return {name: _middle(good, name) for name in names}


def better_of(before: FitResult | None, after: FitResult) -> FitResult:
    """Return the better of two fits of the same data by the same model and options."""
    if before is None or (before.weights, before.loss) != (after.weights, after.loss):
        return after
    if before.model_name != after.model_name or before.free != after.free:
        return after
    is_worse = after.objective > before.objective * (1.0 + SAME)
    return before if is_worse and (before.success or not after.success) else after


def _point(one: Measured, name: str, is_log: bool) -> TrendPoint:
    value = one.fit.parameters[name]
    low, high = interval_of(one.fit, name)
    if is_log and low <= 0:  # the lower end of an error that exceeds the value
        low = min(one.fit.bounds[name][0], value)
    kind: Literal["good", "doubtful", "unconverged"] = "doubtful" if one.doubt else "good"
    if not one.fit.success:
        kind = "unconverged"
    return TrendPoint(one.number, one.x, value, low, high, kind)


def _is_log(fit: FitResult, name: str) -> bool:
    return name in fit.bounds and spans_decades(*fit.bounds[name])


def _middle(measured: Sequence[Measured], name: str) -> float:
    """Return the median of the estimates of a parameter, within its bounds."""
    values = sorted(one.fit.parameters[name] for one in measured if name in one.fit.parameters)
    half = len(values) // 2
    pair = (values[half], values[half - 1 + len(values) % 2])
    is_log = all(_is_log(one.fit, name) for one in measured) and min(pair) > 0
    return math.sqrt(pair[0] * pair[1]) if is_log else sum(pair) / 2
