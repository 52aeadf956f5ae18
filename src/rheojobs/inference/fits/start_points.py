"""Propose initial values: a space-filling sample of the ranges that the data suggest.

The scales of the data (stress, time, their product) give the range of a parameter with that unit;
the sample is evaluated in one compiled call.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.units import parse_unit
from rheojobs.inference.fits.coordinates import is_logarithmic
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.problem.problem import Problem

__all__ = ["candidates", "plausible_range"]

MARGIN = 10.0
"""How far parameters may lie beyond the scales of the data."""

NUMBER = 100.0
"""How far a number without a unit may lie from the model's default, within its bounds."""


def _data_of(problem: Problem) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return x and y of the data, or of those that stand for too many."""
    x, y, seen = problem.dataset.x, problem.dataset.y, problem.coarse_observations
    return (x[seen.shown], y[seen.shown]) if seen.is_in_pieces else (x, y)


def _scales(problem: Problem) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ranges of stress / Pa and of time / s in the data."""
    x, y = _data_of(problem)
    x, y = x[x > 0], np.abs(y[y != 0])
    times = (1.0, 1.0) if x.size == 0 else (float(x.min()), float(x.max()))
    values = (1.0, 1.0) if y.size == 0 else (float(y.min()), float(y.max()))
    mode, given = problem.test_mode, problem.protocol
    if mode in ("oscillation", "flow_curve"):
        times = (1 / times[1], 1 / times[0])
    if mode == "creep":
        values = (1 / values[1], 1 / values[0])
        if problem.model.quantity(mode) == "strain" and (
            held := abs(given.get("sigma_applied", 0))
        ):
            # The stress that is held, and the moduli that follow from it.
            values = (held * min(values[0], 1.0), held * max(values[1], 1.0))
    elif mode == "startup" and (rate := abs(given.get("gamma_dot", 0))):
        # Besides the stress, the modulus that follows from its rise.
        strain, stress = rate * problem.dataset.x, np.abs(problem.dataset.y)
        moduli = stress[strain > 0] / strain[strain > 0]
        values = (values[0], max(values[1], float(moduli.max(initial=0.0))))
    elif mode == "flow_curve" and problem.model.flow_quantity == "viscosity":
        values = (values[0] / times[1], values[1] / times[0])
    return values, times


def _dimension(parameter: Parameter) -> tuple[float, float, float] | None:
    """Return factor, power of Pa and power of s of a parameter's unit; None without one."""
    # A power of time, as in Pa s^alpha, is taken as between none and one.
    unit = re.sub(r"\^?\(?[αn][-0-9)]*|[ᵅⁿ]", "", parameter.unit)
    parsed = None if unit in ("", "dimensionless", "-") else parse_unit(unit)
    return parsed if parsed is not None and (parsed[1], parsed[2]) != (0, 0) else None


def plausible_range(parameter: Parameter, problem: Problem) -> tuple[float, float]:
    """Return the range that the data suggest for a parameter, within its bounds."""
    lower, upper = parameter.bounds
    (stress_low, stress_high), (time_low, time_high) = _scales(problem)
    dimension = _dimension(parameter)
    if dimension is not None:
        factor, pascals, seconds = dimension
        ends = [
            stress**pascals * time**seconds / factor
            for stress in (stress_low, stress_high)
            for time in (time_low, time_high)
        ]
        low, high = min(ends) / MARGIN, max(ends) * MARGIN
    elif is_logarithmic(parameter):
        center = parameter.default if parameter.default else math.sqrt(lower * upper)
        low, high = center / 1e3, center * 1e3
    elif lower == 0 and parameter.default and upper > NUMBER * parameter.default:
        # Drawn uniformly up to the bound, hardly any would have the right order of magnitude.
        low, high = parameter.default / NUMBER, parameter.default * NUMBER
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
) -> NDArray[np.float64]:
    """Return starting points that are plausible for the data.

    Parameters
    ----------
    problem : Problem
        The model and the data.
    parameters : sequence of Parameter
        The free ones, (d,).
    given : mapping
        Known values; all points have them.
    count : int
        How many points.

    Returns
    -------
    ndarray, shape (count, d)
        The first point has the model's defaults if these are plausible.
    """
    sample = _latin_hypercube(count, len(parameters))
    points = np.empty_like(sample)
    for column, parameter in enumerate(parameters):
        low, high = plausible_range(parameter, problem)
        if low > 0 and high / low > 10:
            points[:, column] = low * (high / low) ** sample[:, column]
        else:
            points[:, column] = low + (high - low) * sample[:, column]
        default = parameter.default
        points[0, column] = points[0, column] if default is None else np.clip(default, low, high)
    _spread_modes(problem, parameters, points, sample)
    for column, parameter in enumerate(parameters):
        if parameter.name in given:
            points[:, column] = given[parameter.name]
    return points


def _spread_modes(
    problem: Problem,
    parameters: Sequence[Parameter],
    points: NDArray[np.float64],
    sample: NDArray[np.float64],
) -> None:
    """Spread the relaxation times of several modes over the data, each with the modulus there.

    If drawn independently, hardly any of many modes would lie where one is needed. All points but
    the first are changed; how far the spread reaches, and each modulus, still differ.
    """
    families: dict[str, list[int]] = {}
    for column, parameter in enumerate(parameters):
        if (found := re.fullmatch(r"(.*?)_?\d+", parameter.name)) is not None:
            families.setdefault(found[1], []).append(column)
    (_, stress_high), (time_low, time_high) = _scales(problem)
    times = None
    for columns in families.values():
        dimension = _dimension(parameters[columns[0]])
        if len(columns) > 1 and dimension is not None and dimension[1:] == (0, 1):
            ends = sample[1:, columns[0]], sample[1:, columns[-1]]
            low = time_low * MARGIN ** (1.0 - 2.0 * ends[0])
            high = time_high * MARGIN ** (1.0 - 2.0 * ends[1])
            share = np.linspace(0.0, 1.0, len(columns))
            times = low[:, None] ** (1.0 - share) * high[:, None] ** share
            points[1:, columns] = times
    if times is None:
        return
    level = _level(problem, times)
    for columns in families.values():
        dimension = _dimension(parameters[columns[0]])
        if len(columns) == times.shape[1] and dimension is not None and dimension[1:] == (1, 0):
            jitter = 10.0 ** (sample[1:, columns] - 0.5)
            bounds = np.array([parameters[column].bounds for column in columns])
            wanted = np.clip(level * jitter / 2.0, 1e-9 * stress_high, stress_high)
            points[1:, columns] = np.clip(wanted, bounds[:, 0], bounds[:, 1])


def _level(problem: Problem, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the size of the modulus in the data at these times."""
    x, y = _data_of(problem)
    # A mode of modulus g has a loss modulus of g / 2 at its relaxation frequency.
    value = np.abs(y.imag) if problem.is_complex else np.abs(y)
    if problem.test_mode == "creep":
        value = 1.0 / np.maximum(value, 1e-300)
    at = 1.0 / x if problem.test_mode in ("oscillation", "flow_curve") else x
    good = (at > 0) & (value > 0) & np.isfinite(at)
    if not good.any():
        return np.ones_like(times)
    order = np.argsort(at[good])
    logarithm = np.interp(np.log(times), np.log(at[good][order]), np.log(value[good][order]))
    return np.exp(logarithm)


@functools.lru_cache(maxsize=64)
def _latin_hypercube(count: int, dimension: int) -> NDArray[np.float64]:
    """Return a Latin hypercube sample of the unit cube with `count` points, always the same.

    SciPy has one too, but importing its statistics takes longer than a fit.
    """
    generator = np.random.default_rng(0)
    parts = np.tile(np.arange(count), (dimension, 1))
    cells: NDArray[np.float64] = generator.permuted(parts, axis=1).T + generator.random(
        (count, dimension)
    )
    cells /= count
    cells.flags.writeable = False  # it is kept
    return cells
