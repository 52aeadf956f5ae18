"""What is fitted and sampled: measured data if there are any, else synthetic ones of their size."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs import Dataset, fit, read
from rheojobs.inference.data.example_melt import csv_path

__all__ = ["MODELS", "Case", "Sampling", "case", "melt", "oscillation_data", "relaxation_data"]

MODELS = ("maxwell", "fractional_maxwell_liquid", "carreau", "generalized_maxwell")
MODES = 6
SYNTHETIC_SEED = 20240229
NOISE = 0.03

AT_BOUND = 1e-9
"""So close to its bound, in parts of it, a fitted value counts as lying there."""


@dataclass(frozen=True)
class Sampling:
    """How to sample; the same on all sides."""

    num_warmup: int = 500
    num_samples: int = 1000
    num_chains: int = 4
    seed: int = 1

    @classmethod
    def of(cls, settings: Mapping[str, Any], number: int = 0) -> Sampling:
        """Return how a study's settings have it, for the n-th time with another seed."""
        named = {name: settings[name] for name in cls.__dataclass_fields__}
        return cls(**named | {"seed": settings["seed"] + number})


@dataclass(frozen=True)
class Case:
    """A model and the data of its jobs.

    Attributes
    ----------
    model : str
        As all sides name it.
    data : Dataset
        For first jobs.
    others : tuple of Dataset
        For second ones: new numbers, of lengths that fall into the same bucket.
    far : Dataset
        Of a length in another bucket: here this project compiles once more.
    priors : mapping
        One for every parameter, as this project takes them: RheoJAX's own, written out.
    their_priors : mapping
        What RheoJAX has to be given, because its own priors are not those.
    config : mapping
        The model's own settings.
    """

    model: str
    data: Dataset
    others: tuple[Dataset, ...]
    far: Dataset
    priors: Mapping[str, Any]
    their_priors: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Model, test and size on one line."""
        return f"{self.model}, {self.data.test_mode}, {len(self.data)} points ({self.data.name})"

    @functools.cached_property
    def defaults(self) -> dict[str, float]:
        """The model's default values: a start without any knowledge."""
        parameters = _rheojax_parameters(self.model, self.config)
        return {name: float(parameters.get(name).value) for name in parameters}

    @functools.cached_property
    def start(self) -> dict[str, float]:
        """What a fit found: every side starts there.

        A value that the fit left at its bound, where the samplers' coordinate is infinite, is
        replaced by the model's default. Modes are numbered by their time, as the priors are.
        """
        found = dict(fit(self.data, self.model, model_config=dict(self.config)).parameters)
        names = [name for name in found if name.startswith("tau_") and name[4:].isdigit()]
        modes = sorted((found[name], found[f"G_{name[4:]}"]) for name in names)
        for mode, (time, modulus) in enumerate(modes, start=1):
            found[f"G_{mode}"], found[f"tau_{mode}"] = modulus, time
        for name, prior in self.priors.items():
            if prior["type"] == "uniform" and found[name] <= prior["low"] * (1 + AT_BOUND):
                found[name] = self.defaults[name]
        return found


@functools.cache
def case(model: str) -> Case:
    """Return one of `MODELS` with its data."""
    if model == "maxwell":
        whole = relaxation_data()
        data = whole.thin(12)
        others = _others(data, 30, 24, 18, 12)
        return Case(model, data, others, whole.thin(16), rheojax_priors(model))
    if model == "fractional_maxwell_liquid":
        data = oscillation_data()
        others = _others(data, 30, 24, 18, 12)
        return Case(model, data, others, _others(data, 3)[0], rheojax_priors(model))
    if model == "carreau":
        data = _flow_data()
        others = _others(data, 20, 15, 10, 8)
        return Case(model, data, others, _others(data, 3)[0], rheojax_priors(model))
    # Modes a decade apart, with log-normal priors that keep them apart, on all sides. RheoJAX's
    # own, uniform up to 1e30 s and alike for all modes, let the modes change places and chains
    # leave the data: there is no one posterior to compare.
    data = melt()
    priors: dict[str, dict[str, Any]] = {"G_inf": _log_normal(1.0, 2.0)}
    priors |= {f"G_{k + 1}": _log_normal(1e4, 2.0) for k in range(MODES)}
    priors |= {f"tau_{k + 1}": _log_normal(10.0 ** (k - 3), 0.5) for k in range(MODES)}
    others, far = _others(data, 30, 20, 15, 10), _others(data, 3)[0]
    return Case(model, data, others, far, priors, priors, {"n_modes": MODES})


def _others(dataset: Dataset, *parts: int) -> tuple[Dataset, ...]:
    """Return new data: without every n-th row, and a little stiffer.

    Rows go from all over the range, so that what is sampled stays as hard as it was.
    """
    found = []
    for number, part in enumerate(parts, start=1):
        kept = np.arange(len(dataset)) % part != part // 2
        x, y = dataset.x[kept].copy(), (1 + 0.01 * number) * dataset.y[kept]
        found.append(replace(dataset, x=x, y=y))
    return tuple(found)


def _log_normal(median: float, scale: float) -> dict[str, Any]:
    return {"type": "lognormal", "loc": float(np.log(median)), "scale": scale}


def _rheojax_parameters(model: str, config: Mapping[str, Any]) -> Any:
    import rheojax.models  # noqa: F401  (fills the registry)
    from rheojax.core.registry import ModelRegistry

    return ModelRegistry.create(model, **config).parameters


def rheojax_priors(model: str) -> dict[str, dict[str, Any]]:
    """Write out the priors that RheoJAX takes for a model: uniform on the bounds, but for orders.

    Only for models without a rule of their own (`bayesian_prior_factory`).
    """
    parameters = _rheojax_parameters(model, {})
    priors: dict[str, dict[str, Any]] = {}
    for name in parameters:
        low, high = parameters.get(name).bounds
        if name.lower().endswith("alpha") and (low, high) == (0.0, 1.0):
            priors[name] = {"type": "beta", "concentration1": 2.0, "concentration0": 2.0}
        else:
            priors[name] = {"type": "uniform", "low": float(low), "high": float(high)}
    return priors


def melt() -> Dataset:
    """Read the melt that is shipped with the project, G' and G'' over angular frequency."""
    return read(csv_path())


def relaxation_data() -> Dataset:
    """Return polystyrene, stress relaxation, some 1800 points."""
    if (measured := _measured("ps145_relaxation.csv")) is not None:
        return measured
    t, (moduli, times) = np.geomspace(0.2, 4900, 1799), _spectrum()
    curve = _noisy(np.sum(moduli * np.exp(-t[:, None] / times), axis=1))
    return Dataset(t, curve, "relaxation", "SYNTHETIC", "relaxation modulus", "s", "Pa")


def oscillation_data() -> Dataset:
    """Return polyisoprene, a master curve of 170 points."""
    if (measured := _measured("polyisoprene_483k_oscillation.csv")) is not None:
        return measured
    omega, (moduli, times) = np.geomspace(1e-5, 1e5, 170), _spectrum()
    phase = 1j * omega[:, None] * times
    curve = np.sum(moduli * phase / (1 + phase), axis=1)
    real, imag = _noisy(np.array([curve.real, curve.imag]))
    y = real + 1j * imag
    return Dataset(omega, y, "oscillation", "SYNTHETIC", "complex modulus", "rad/s", "Pa")


def _flow_data() -> Dataset:
    """Return an ethyl cellulose solution, viscosity over shear rate, 43 points."""
    if (measured := _measured("ethylcellulose_5pct_flow.csv")) is not None:
        return measured.as_flow_quantity("viscosity")
    rate = np.geomspace(0.1, 1e3, 43)
    curve = _noisy(1.1 * (1 + (0.05 * rate) ** 2) ** -0.17)
    return Dataset(rate, curve, "flow_curve", "SYNTHETIC", "viscosity", "1/s", "Pa s")


def _measured(name: str) -> Dataset | None:
    given = os.environ.get("RHEOJOBS_DATA")
    folder = Path(given) if given else Path(__file__).parents[3] / "shared" / "data"
    path = folder / name
    return read(path) if path.is_file() else None


def _spectrum() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return moduli / Pa and relaxation times / s of an entangled melt, more or less."""
    times = np.logspace(-4, 4, 17)
    return 2e5 * (times / times[0]) ** -0.25 * np.exp(-times / 3e3), times


def _noisy(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    noise = np.random.default_rng(SYNTHETIC_SEED).standard_normal(curve.shape)
    noisy: NDArray[np.float64] = curve * (1 + NOISE * noise)
    return noisy


def without_last(dataset: Dataset, count: int) -> Dataset:
    """Drop the last points."""
    return replace(dataset, x=dataset.x[:-count].copy(), y=dataset.y[:-count].copy())
