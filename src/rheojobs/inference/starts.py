"""Where to start: parameters estimated from the data by trying many that could be right.

The scales of the data (stress, time, their product) tell where a parameter of that unit may
lie; a space-filling sample of these ranges is evaluated in one compiled call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data import parse_unit
from rheojobs.inference.models import Parameter
from rheojobs.inference.problem import Problem

__all__ = ["candidates", "is_logarithmic", "plausible_range"]

LOG_SPAN = 1e3
MARGIN = 10.0
"""Parameters may lie that far beyond the scales of the data."""


def is_logarithmic(parameter: Parameter) -> bool:
    """Whether a parameter is searched by its logarithm: positive, over three decades or more."""
    lower, upper = parameter.bounds
    return lower > 0 and upper / lower > LOG_SPAN


def _scales(problem: Problem) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give the ranges of stress / Pa and of time / s that the data speak of."""
    x, y = problem.dataset.x, np.abs(problem.dataset.y)
    x, y = x[x > 0], y[y > 0]
    times = (1.0, 1.0) if x.size == 0 else (float(x.min()), float(x.max()))
    values = (1.0, 1.0) if y.size == 0 else (float(y.min()), float(y.max()))
    mode = problem.test_mode
    if mode in ("oscillation", "flow_curve"):
        times = (1 / times[1], 1 / times[0])
    if mode == "creep":
        values = (1 / values[1], 1 / values[0])
    elif mode == "flow_curve" and problem.model.flow_quantity == "viscosity":
        values = (values[0] / times[1], values[1] / times[0])
    return values, times


def plausible_range(parameter: Parameter, problem: Problem) -> tuple[float, float]:
    """Give the range in which data like these would put a parameter, within its bounds."""
    lower, upper = parameter.bounds
    (stress_low, stress_high), (time_low, time_high) = _scales(problem)
    # A power of time, as in Pa s^alpha, is taken as between none and one.
    unit = re.sub(r"\^?\(?[αn][-0-9)]*|[ᵅⁿ]", "", parameter.unit)
    parsed = None if unit in ("", "dimensionless", "-") else parse_unit(unit)
    if parsed is not None and (parsed[1], parsed[2]) != (0, 0):
        factor, pascals, seconds = parsed
        ends = [
            stress**pascals * time**seconds / factor
            for stress in (stress_low, stress_high)
            for time in (time_low, time_high)
        ]
        low, high = min(ends) / MARGIN, max(ends) * MARGIN
    elif is_logarithmic(parameter):
        center = parameter.default if parameter.default else math.sqrt(lower * upper)
        low, high = center / 1e3, center * 1e3
    else:
        low, high = lower, upper
        if not math.isfinite(low) or not math.isfinite(high):
            center = parameter.default or 0.0
            reach = 10 * max(1.0, abs(center))
            low, high = max(low, center - reach), min(high, center + reach)
    low, high = max(low, lower), min(high, upper)
    return (low, high) if low < high else (lower, upper)


def candidates(
    problem: Problem,
    parameters: Sequence[Parameter],
    given: Mapping[str, float],
    count: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Give starting points that the data make plausible.

    Parameters
    ----------
    problem : Problem
        The model and the data.
    parameters : sequence of Parameter
        Those that are looked for, (d,).
    given : mapping
        Values that are known; all points have them.
    count : int
        How many points.
    seed : int
        Of the Latin hypercube.

    Returns
    -------
    ndarray, shape (count, d)
        The first point has the model's defaults, as far as they are plausible.
    """
    from scipy.stats import qmc  # takes as long to import as many a fit

    sample = qmc.LatinHypercube(len(parameters), seed=seed).random(count)
    points = np.empty_like(sample)
    for column, parameter in enumerate(parameters):
        low, high = plausible_range(parameter, problem)
        if low > 0 and high / low > 10:
            points[:, column] = low * (high / low) ** sample[:, column]
        else:
            points[:, column] = low + (high - low) * sample[:, column]
        default = parameter.default
        points[0, column] = points[0, column] if default is None else np.clip(default, low, high)
        if parameter.name in given:
            points[:, column] = given[parameter.name]
    return points
