"""Data that a model makes: plausible parameters, a test that tells them, and noise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rheojobs.errors import RheojobsError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.data.units import parse_unit
from rheojobs.inference.models.model import Model

NOISE = 0.02


def draw(model: Model, rng: np.random.Generator) -> dict[str, float]:
    """Draw parameters around their defaults, well inside their bounds."""
    values = {}
    for parameter in model.parameters:
        lower, upper = parameter.bounds
        default = parameter.default
        if default is None:
            default = math.sqrt(lower * upper) if lower > 0 else (lower + upper) / 2
        if lower >= 0 and upper > 1e3 * max(lower, 1e-300) and default > 0:
            value = default * 3.0 ** rng.uniform(-1, 1)
            if lower > 0:
                value = float(np.clip(value, lower * 2, upper / 2))
            value = min(value, default + (upper - default) / 2)
        elif default == 0 and lower == 0 and upper > 20:
            value = math.nan  # has no scale of its own
        else:
            below, above = max(default - lower, 0.1 * (upper - lower)), upper - default
            value = default + 0.3 * rng.uniform(-below, above)
            value = float(
                np.clip(value, lower + (upper - lower) / 20, upper - (upper - lower) / 20)
            )
        values[parameter.name] = value
    for smaller, larger in model.orders:
        values[smaller], values[larger] = sorted((values[smaller], values[larger]))
    time_scale, stress = scales(model, values)
    for parameter in model.parameters:
        if math.isnan(values[parameter.name]):
            _, pascals, seconds = parse_unit(parameter.unit) or (1.0, 0, 0)
            natural = stress**pascals * time_scale**seconds
            values[parameter.name] = min(0.1 * natural, parameter.bounds[1] / 2)
    return values


def scales(model: Model, values: dict[str, float]) -> tuple[float, float]:
    """Give a time / s and a stress / Pa that the parameters speak of."""
    by_unit: dict[tuple[float, float], list[float]] = {}
    for parameter in model.parameters:
        parsed = parse_unit(parameter.unit) if parameter.unit else None
        value = values[parameter.name]
        if parsed is not None and value > 0:
            by_unit.setdefault((parsed[1], parsed[2]), []).append(math.log(value * parsed[0]))
    mean = {unit: float(np.mean(logs)) for unit, logs in by_unit.items()}
    times = [mean[0, 1]] if (0, 1) in mean else []
    times += [-mean[0, -1]] if (0, -1) in mean else []
    if (1, 0) in mean and (1, 1) in mean:
        times.append(mean[1, 1] - mean[1, 0])
    time_scale = math.exp(float(np.mean(times))) if times else 1.0
    stress = math.exp(mean[1, 0]) if (1, 0) in mean else 1.0
    if (1, 0) not in mean and (1, 1) in mean:
        stress = math.exp(mean[1, 1]) / time_scale
    return time_scale, stress


def designs(
    model: Model, mode: str, values: dict[str, float], points: int
) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    """Give x and the constants of tests that might tell the parameters."""
    time_scale, stress = scales(model, values)
    even = mode in model.even_steps
    for stretch, size in itertools.product((1.0, 0.1, 10.0), (0.5, 0.1, 5.0)):
        span = time_scale * stretch
        constants = {
            "gamma_dot": size / span,
            "sigma_applied": stress * size,
            "gamma_0": size,
            "omega": 1 / span,
            "sigma_0": stress * size,
        }
        constants = {name: constants[name] for name in MODE_CONSTANTS[mode]}
        if mode in ("oscillation", "flow_curve"):
            x = np.logspace(-2, 2, points) / span
        elif mode == "laos":
            x = np.linspace(0, 4 * math.pi * span, points + 1)[1:]
        elif even:
            x = np.linspace(10 * span / points, 10 * span, points)
        else:
            x = np.geomspace(0.01, 10, points) * span
        yield x, constants


def simulate(
    model: Model,
    mode: str,
    values: dict[str, float],
    rng: np.random.Generator,
    points: int,
    first: bool = False,
) -> tuple[Dataset, np.ndarray, str]:
    """Simulate the test, of some, that tells most of the parameters; with noise.

    Gives the data, what they are without noise, and the weights that the noise deserves. With
    `first`, the first test that gives finite data is taken.
    """
    import jax

    params = np.array([values[name] for name in model.names])
    predict = jax.jit(lambda x, p, given: model.predict(x, p, mode, given))
    tried: list[tuple[float, Any]] = []
    seen = set()
    needed = set(model.missing_protocol(mode, {}))
    for x, constants in designs(model, mode, values, points):
        constants = {name: constants[name] for name in constants if name in needed}
        if (key := (x[0], tuple(constants.items()))) in seen:
            continue
        seen.add(key)
        clean = np.asarray(predict(x, params, constants))
        if not np.isfinite(clean).all() or not np.abs(clean).max() > 0:
            continue
        sigma, weights = noise_of(clean)
        columns = []
        for k, value in enumerate(params):
            step = 1e-4 * (abs(value) or 1.0)
            moved = params.copy()
            moved[k] += step
            slope = (np.asarray(predict(x, moved, constants)) - clean) / step * (value or 1.0)
            columns.append(
                np.concatenate([slope.real / sigma.real, slope.imag / sigma.imag])
                if np.iscomplexobj(clean)
                else slope / sigma
            )
        jacobian = np.nan_to_num(np.stack(columns, axis=1))
        # As if each parameter were known to a factor of e^10 beforehand.
        inverse = np.linalg.inv(jacobian.T @ jacobian + 1e-2 * np.eye(len(params)))
        expected = np.sqrt(np.diag(inverse))
        tried.append((float(np.sum(np.log(np.minimum(expected, 1.0)))), (x, constants, clean)))
        if first:
            break
    if not tried:
        raise RheojobsError("no test among those tried gives finite data at these parameters")
    _, (x, constants, clean) = min(tried, key=lambda item: item[0])
    sigma, weights = noise_of(clean)
    if np.iscomplexobj(clean):
        noise = sigma.real * rng.standard_normal(len(x)) + 1j * (
            sigma.imag * rng.standard_normal(len(x))
        )
    else:
        noise = sigma * rng.standard_normal(len(x))
    return Dataset(x, clean + noise, mode, protocol=constants), clean, weights


def noise_of(clean: np.ndarray) -> tuple[np.ndarray, str]:
    """Give the noise of each value, and how a fit should weigh them."""
    if np.iscomplexobj(clean):
        return NOISE * (np.abs(clean.real) + 1j * np.abs(clean.imag)), "relative"
    if clean.min() > 0.01 * clean.max():
        return NOISE * clean, "relative"
    return np.full(clean.shape, NOISE * np.abs(clean).max()), "uniform"
