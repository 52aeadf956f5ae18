"""What is sampled: four models, new data of other lengths, and a description for the others.

Knows data, models and priors; must not know how jobs are run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from side_by_side.cases import (
    Case,
    Sampling,
    flow_data,
    oscillation_data,
    relaxation_data,
    rheojax_priors,
)

from rheojobs import Dataset, fit, read
from rheojobs.inference.data.example_melt import csv_path

__all__ = ["MODELS", "SamplingCase", "describe_job", "sampling_case"]

MODES = 6

AT_BOUND = 1e-9
"""So close to its bound, in parts of it, a fitted value counts as lying there."""

MODELS = ("maxwell", "fractional_maxwell_liquid", "carreau", "generalized_maxwell")


@dataclass(frozen=True)
class SamplingCase:
    """A model with the data of its jobs.

    Attributes
    ----------
    case : Case
        ``case.data`` is for first jobs, ``case.others`` for second ones: new numbers, of lengths
        that fall into the same bucket.
    far : Dataset
        New data of a length in another bucket: here this project compiles once more.
    start : dict of str to float
        What a fit found; every side starts there. A value that the fit left at its bound, where
        the samplers' coordinate is infinite, is replaced by the model's default.
    defaults : dict of str to float
        The model's default values: the start of who knows nothing.
    """

    case: Case
    far: Dataset
    start: dict[str, float]
    defaults: dict[str, float]


def sampling_case(model: str) -> SamplingCase:
    """Give one of `MODELS` with its data, fitted in this process."""
    case, far = {
        "maxwell": _maxwell,
        "fractional_maxwell_liquid": _fractional,
        "carreau": _carreau,
        "generalized_maxwell": _generalized,
    }[model]()
    config = dict(case.config)
    found = fit(case.data, model, model_config=config).parameters
    defaults = _defaults(model, config)
    start = _by_rising_time(found)
    for name, prior in case.priors.items():
        if prior["type"] == "uniform" and start[name] <= prior["low"] * (1 + AT_BOUND):
            start[name] = defaults[name]
    return SamplingCase(case, far, start, defaults)


def _others(dataset: Dataset, *parts: int) -> tuple[Dataset, ...]:
    """Give new data: without every n-th row, and a little stiffer.

    Rows go from all over the range, so that what is sampled stays as hard as it was.
    """
    found = []
    for number, part in enumerate(parts, start=1):
        kept = np.arange(len(dataset)) % part != part // 2
        x, y = dataset.x[kept].copy(), (1 + 0.01 * number) * dataset.y[kept]
        found.append(replace(dataset, x=x, y=y))
    return tuple(found)


def _maxwell() -> tuple[Case, Dataset]:
    whole = relaxation_data()
    data, priors = whole.thin(12), rheojax_priors("maxwell")
    return Case("maxwell", data, _others(data, 30, 24, 18, 12), priors=priors), whole.thin(16)


def _fractional() -> tuple[Case, Dataset]:
    data, model = oscillation_data(), "fractional_maxwell_liquid"
    case = Case(model, data, _others(data, 30, 24, 18, 12), priors=rheojax_priors(model))
    return case, _others(data, 3)[0]


def _carreau() -> tuple[Case, Dataset]:
    data, priors = flow_data(), rheojax_priors("carreau")
    return Case("carreau", data, _others(data, 20, 15, 10, 8), priors=priors), _others(data, 3)[0]


def _generalized() -> tuple[Case, Dataset]:
    """Modes a decade apart, with log-normal priors that keep them apart, on both sides.

    RheoJAX's own priors, uniform up to 1e30 s and alike for all modes, let the modes change
    places and chains leave the data: there is no one posterior to compare. It takes no
    log-uniform prior; log-normal ones it does.
    """
    data = read(csv_path())
    priors: dict[str, dict[str, Any]] = {"G_inf": _log_normal(1.0, 2.0)}
    priors |= {f"G_{k + 1}": _log_normal(1e4, 2.0) for k in range(MODES)}
    priors |= {f"tau_{k + 1}": _log_normal(10.0 ** (k - 3), 0.5) for k in range(MODES)}
    case = Case(
        "generalized_maxwell",
        data,
        _others(data, 30, 20, 15, 10),
        config={"n_modes": MODES},
        priors=priors,
        their_priors=priors,
    )
    return case, _others(data, 3)[0]


def _log_normal(median: float, scale: float) -> dict[str, Any]:
    return {"type": "lognormal", "loc": float(np.log(median)), "scale": scale}


def _by_rising_time(parameters: Mapping[str, float]) -> dict[str, float]:
    """Number the modes of a spectrum by their time, as the priors do."""
    modes = sorted(
        (value, parameters[f"G_{name[4:]}"])
        for name, value in parameters.items()
        if name.startswith("tau_") and name[4:].isdigit()
    )
    found = dict(parameters)
    for number, (time, modulus) in enumerate(modes, start=1):
        found[f"G_{number}"], found[f"tau_{number}"] = modulus, time
    return found


def _defaults(model: str, config: Mapping[str, Any]) -> dict[str, float]:
    import rheojax.models  # noqa: F401  (fills the registry)
    from rheojax.core.registry import ModelRegistry

    parameters = ModelRegistry.create(model, **config).parameters
    return {name: float(parameters.get(name).value) for name in parameters}


def describe_job(
    case: SamplingCase, data: Dataset, sampling: Sampling, start: Mapping[str, float] | None
) -> dict[str, Any]:
    """Describe a sampling in JSON, for processes that know nothing of this project.

    The priors of the noise are RheoJAX's: exponential, of the data's own scale.
    """
    complex_ = np.iscomplexobj(data.y)
    rows = [data.y.real, data.y.imag] if complex_ else [np.asarray(data.y, dtype=float)]
    names = ["sigma_real", "sigma_imag"] if complex_ else ["sigma"]
    scales = [max(float(np.std(row)), 0.01 * float(np.mean(np.abs(row))), 1e-3) for row in rows]
    return {
        "model": case.case.model,
        "test_mode": data.test_mode,
        "config": dict(case.case.config),
        "x": data.x.tolist(),
        "y": [row.tolist() for row in rows],
        "priors": {name: dict(prior) for name, prior in case.case.priors.items()},
        "noise": dict(zip(names, scales, strict=True)),
        "start": dict(start) if start is not None else None,
        "num_warmup": sampling.num_warmup,
        "num_samples": sampling.num_samples,
        "num_chains": sampling.num_chains,
        "seed": sampling.seed,
    }
