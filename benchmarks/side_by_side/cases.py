"""What is fitted and sampled: measured data where they are, synthetic ones of the same size else.

Knows data, models and priors; must not know how jobs are run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs import Dataset, read

__all__ = [
    "Case",
    "Sampling",
    "cases",
    "flow_data",
    "oscillation_data",
    "relaxation_data",
    "rheojax_priors",
    "without_last",
]

SYNTHETIC_SEED = 20240229
NOISE = 0.03


@dataclass(frozen=True)
class Sampling:
    """How to sample; the same on both sides."""

    num_warmup: int = 500
    num_samples: int = 1000
    num_chains: int = 4
    seed: int = 1


@dataclass(frozen=True)
class Case:
    """A model and the data that it is fitted to.

    Attributes
    ----------
    model : str
        As both sides name it.
    data : Dataset
        For all jobs but the last.
    others : tuple of Dataset
        The same measurement with other numbers of points.
    fit_options : mapping
        What makes this project's fit minimise what RheoJAX's does.
    config : mapping
        The model's own settings.
    priors : mapping
        One for every parameter, as this project takes them: RheoJAX's own, written out, so that
        the statistical model is the same whatever either side takes where nothing is given.
    their_priors : mapping
        What RheoJAX has to be given, because its own priors are not those.
    """

    model: str
    data: Dataset
    others: tuple[Dataset, ...]
    fit_options: Mapping[str, Any] = field(default_factory=lambda: {"weights": "relative"})
    config: Mapping[str, Any] = field(default_factory=dict)
    priors: Mapping[str, Any] = field(default_factory=dict)
    their_priors: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Model, test and size on one line."""
        return f"{self.model}, {self.data.test_mode}, {len(self.data)} points ({self.data.name})"


def cases() -> list[Case]:
    """Give the cases of fits and samplings, with measured data if they are to be had."""
    relaxation, oscillation = relaxation_data(), oscillation_data()
    return [
        Case(
            "maxwell",
            relaxation.thin(12),
            tuple(relaxation.thin(n) for n in (13, 14, 15)),
            priors=rheojax_priors("maxwell"),
        ),
        Case(
            "fractional_maxwell_liquid",
            oscillation,
            tuple(without_last(oscillation, n) for n in (10, 20, 30)),
            priors=rheojax_priors("fractional_maxwell_liquid"),
        ),
    ]


def rheojax_priors(model: str) -> dict[str, dict[str, Any]]:
    """Write out the priors that RheoJAX takes for a model: uniform on the bounds, but for orders.

    Only for models without a rule of their own (`bayesian_prior_factory`).
    """
    import rheojax.models  # noqa: F401  (fills the registry)
    from rheojax.core.registry import ModelRegistry

    parameters = ModelRegistry.create(model).parameters
    priors: dict[str, dict[str, Any]] = {}
    for name in parameters:
        low, high = parameters.get(name).bounds
        if name.lower().endswith("alpha") and (low, high) == (0.0, 1.0):
            priors[name] = {"type": "beta", "concentration1": 2.0, "concentration0": 2.0}
        else:
            priors[name] = {"type": "uniform", "low": float(low), "high": float(high)}
    return priors


def relaxation_data() -> Dataset:
    """Polystyrene, stress relaxation, some 1800 points."""
    return _measured("ps145_relaxation.csv") or _relaxation(1799)


def oscillation_data() -> Dataset:
    """Polyisoprene, a master curve of 170 points."""
    return _measured("polyisoprene_483k_oscillation.csv") or _oscillation(170)


def flow_data() -> Dataset:
    """Ethyl cellulose solution, viscosity over shear rate, 43 points."""
    measured = _measured("ethylcellulose_5pct_flow.csv")
    return measured.as_flow_quantity("viscosity") if measured is not None else _flow(43)


def without_last(dataset: Dataset, count: int) -> Dataset:
    """Drop the last points."""
    return replace(dataset, x=dataset.x[:-count].copy(), y=dataset.y[:-count].copy())


def _measured(name: str) -> Dataset | None:
    given = os.environ.get("RHEOJOBS_DATA")
    folder = Path(given) if given else Path(__file__).parents[3] / "shared" / "data"
    path = folder / name
    return read(path) if path.is_file() else None


def _spectrum() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moduli / Pa and relaxation times / s of an entangled melt, more or less."""
    times = np.logspace(-4, 4, 17)
    return 2e5 * (times / times[0]) ** -0.25 * np.exp(-times / 3e3), times


def _relaxation(size: int) -> Dataset:
    moduli, times = _spectrum()
    t = np.logspace(np.log10(0.2), np.log10(4900), size)
    curve = np.sum(moduli * np.exp(-t[:, None] / times), axis=1)
    noise = np.random.default_rng(SYNTHETIC_SEED).standard_normal(size)
    curve = curve * (1 + NOISE * noise)
    return Dataset(t, curve, "relaxation", "SYNTHETIC", "relaxation modulus", "s", "Pa")


def _oscillation(size: int) -> Dataset:
    moduli, times = _spectrum()
    omega = np.logspace(-5, 5, size)
    phase = 1j * omega[:, None] * times
    curve = np.sum(moduli * phase / (1 + phase), axis=1)
    noise = np.random.default_rng(SYNTHETIC_SEED).standard_normal((2, size))
    curve = curve.real * (1 + NOISE * noise[0]) + 1j * curve.imag * (1 + NOISE * noise[1])
    return Dataset(omega, curve, "oscillation", "SYNTHETIC", "complex modulus", "rad/s", "Pa")


def _flow(size: int) -> Dataset:
    rate = np.logspace(-1, 3, size)
    viscosity = 1.1 * (1 + (0.05 * rate) ** 2) ** -0.17
    noise = np.random.default_rng(SYNTHETIC_SEED).standard_normal(size)
    curve = viscosity * (1 + NOISE * noise)
    return Dataset(rate, curve, "flow_curve", "SYNTHETIC", "viscosity", "1/s", "Pa s")
