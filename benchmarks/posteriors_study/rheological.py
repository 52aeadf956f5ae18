"""Posteriors of rheological models: formulas in NumPy, so that no code of ours makes the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from posteriors_study.case import Case
from rheojobs import Dataset

__all__ = ["CASES"]

DEFAULT: dict[str, Any] = {}
RHEOJAX = {"default_priors": "rheojax", "likelihood": "constant"}
"""The priors and the noise of the defaults, and of RheoJAX."""

type Values = NDArray[np.float64]


def _scattered(y: NDArray[Any], noise: float, seed: int, floor: float = 0.0) -> NDArray[Any]:
    """Return values with relative noise, and with a constant one of a part of the largest."""
    random = np.random.default_rng(seed)

    def part(values: Values) -> Values:
        relative, constant = random.standard_normal((2, values.size))
        return values * np.exp(noise * relative) + floor * np.abs(values).max() * constant

    return part(y.real) + 1j * part(y.imag) if np.iscomplexobj(y) else part(y)


def _relaxation(n: int, noise: float, seed: int, **others: Any) -> Dataset:
    t = np.geomspace(1e-2, 1e2, n)
    return Dataset(t, _scattered(1e5 * np.exp(-t / 30.0), noise, seed, **others), "relaxation")


def _power_law(n: int, noise: float, seed: int) -> Dataset:
    t = np.geomspace(1e-2, 1e2, n)
    return Dataset(t, _scattered(3e3 * t**-0.4 / gamma(0.6), noise, seed), "relaxation")


def _moduli(n: int, modes: list[tuple[float, float]], noise: float, seed: int) -> Dataset:
    w = np.geomspace(1e-2, 1e2, n)
    parts = [g * 1j * w * t / (1.0 + 1j * w * t) for g, t in modes]
    return Dataset(w, _scattered(np.sum(parts, axis=0), noise, seed), "oscillation")


def _fractional(n: int, noise: float, seed: int) -> Dataset:
    """G* of a fractional Maxwell liquid: a springpot and a dashpot in series."""
    w = np.geomspace(1e-2, 1e2, n)
    springpot, dashpot = 1e4 * (1j * w) ** 0.3, 5e3 * 1j * w
    return Dataset(
        w, _scattered(springpot * dashpot / (springpot + dashpot), noise, seed), "oscillation"
    )


def _carreau(n: int, noise: float, seed: int, last: float = 3.0) -> Dataset:
    """Viscosity; the plateau at high rates lies beyond the data."""
    rate = np.geomspace(1e-3, 10.0**last, n)
    y = 1e-3 + 100.0 * (1.0 + (2.0 * rate) ** 2) ** -0.35
    return Dataset(
        rate, _scattered(y, noise, seed), "flow_curve", quantity="viscosity", y_unit="Pa s"
    )


def _herschel_bulkley(n: int, noise: float, seed: int) -> Dataset:
    rate = np.geomspace(1e-2, 1e2, n)
    y = 20.0 + 8.0 * rate**0.45
    return Dataset(
        rate, _scattered(y, noise, seed), "flow_curve", quantity="shear stress", y_unit="Pa"
    )


def _start_up(n: int, noise: float, seed: int) -> Dataset:
    """Stress growth of an upper-convected Maxwell fluid, which Giesekus has at small mobility."""
    t, rate = np.linspace(0.05, 5.0, n), 0.1
    y = 100.0 * rate * (1.0 - np.exp(-t / 1.0))
    return Dataset(
        t, _scattered(y, noise, seed), "startup", protocol={"gamma_dot": rate}, y_unit="Pa"
    )


SIX = [(2e3, 0.01), (3e3, 0.06), (2e3, 0.4), (1e3, 2.5), (4e2, 16.0), (1e2, 100.0)]

CASES = [
    Case("maxwell 60", "maxwell", lambda s: _relaxation(60, 0.02, s), DEFAULT),
    Case("maxwell 1000", "maxwell", lambda s: _relaxation(1000, 0.0, s, floor=0.01), RHEOJAX),
    Case("springpot 40, poor", "springpot", lambda s: _power_law(40, 0.3, s), DEFAULT),
    Case("zener 200", "zener", lambda s: _moduli(200, [(1e4, 1.0), (1e3, 1e9)], 0.03, s), DEFAULT),
    Case("zener 40", "zener", lambda s: _moduli(40, [(1e4, 1.0), (1e3, 1e9)], 0.03, s), RHEOJAX),
    Case(
        "fractional_maxwell_liquid 60",
        "fractional_maxwell_liquid",
        lambda s: _fractional(60, 0.03, s),
        DEFAULT,
    ),
    Case(
        "fractional_maxwell_liquid 60, RheoJAX",
        "fractional_maxwell_liquid",
        lambda s: _fractional(60, 0.03, s),
        RHEOJAX,
    ),
    Case(
        "generalized_maxwell, 6 modes",
        "generalized_maxwell",
        lambda s: _moduli(100, SIX, 0.02, s),
        DEFAULT | {"model_config": {"n_modes": 6}},
    ),
    Case("carreau 60", "carreau", lambda s: _carreau(60, 0.03, s), DEFAULT),
    Case("carreau 30, power law only", "carreau", lambda s: _carreau(30, 0.05, s, 0.5), DEFAULT),
    Case("carreau 60, RheoJAX", "carreau", lambda s: _carreau(60, 0.03, s), RHEOJAX),
    Case("herschel_bulkley 40", "herschel_bulkley", lambda s: _herschel_bulkley(40, 0.04, s)),
    Case("giesekus start-up 40", "giesekus", lambda s: _start_up(40, 0.03, s), DEFAULT),
]
