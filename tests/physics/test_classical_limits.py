"""At the bounds of their orders the fractional models are the classical ones, with finite slopes.

Soft glassy rheology is elastic at x = 1, has a spectrum with a closed form at x = 2, and the
viscosity of its spectrum beyond.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
import pytest
from tests.physics.held_against import FULL

from rheojobs.inference.models.loading import load

pytestmark = pytest.mark.physics

T = np.array([0.01, 0.3, 1.0, 2.5, 8.0])

# Parameters at a bound, and the classical formula with the relaxation time of the same elements.
LIMITS: dict[tuple[str, str], tuple[list[float], Callable[[np.ndarray], np.ndarray]]] = {
    ("fractional_maxwell_liquid", "relaxation"): (
        [50.0, 1.0, 2.0],
        lambda t: 50.0 * np.exp(-t / 2.0),
    ),
    ("fractional_maxwell_model", "relaxation"): (
        [50.0, 1.0, 1.0, 2.0],
        lambda t: 25.0 * np.exp(-t / 2.0),
    ),
    ("fractional_maxwell_gel", "relaxation"): (
        [50.0, 0.0, 100.0],
        lambda t: 50.0 * np.exp(-t / 2.0),
    ),
    ("fractional_zener_ss", "relaxation"): (
        [5.0, 50.0, 1.0, 2.0],
        lambda t: 5.0 + 50.0 * np.exp(-t / 2.0),
    ),
    ("fractional_zener_ss", "creep"): (
        [5.0, 50.0, 1.0, 2.0],
        lambda t: 1 / 5.0 - 50.0 / (5.0 * 55.0) * np.exp(-t * 5.0 / (55.0 * 2.0)),
    ),
    ("fractional_zener_sl", "relaxation"): (
        [5.0, 50.0, 0.0, 2.0],
        lambda t: 5.0 + 50.0 * np.exp(-t / 2.0),
    ),
    ("fractional_zener_ll", "relaxation"): (
        [50.0, 3.0, 1.0, 1.0, 0.5, 2.0],
        lambda t: 25.0 * np.exp(-t / 2.0) + 3.0 / np.sqrt(np.pi * t),
    ),
    ("fractional_kv_zener", "creep"): (
        [50.0, 5.0, 1.0, 2.0],
        lambda t: 1 / 50.0 - np.expm1(-t / 2.0) / 5.0,
    ),
    ("fractional_poynting_thomson", "relaxation"): (
        [50.0, 5.0, 1.0, 2.0],
        lambda t: 250.0 / 55.0 + (50.0 - 250.0 / 55.0) * np.exp(-t * 11.0 / 2.0),
    ),
    ("fractional_jeffreys", "relaxation"): (
        [50.0, 5.0, 1.0, 2.0],
        lambda t: 22.5 * np.exp(-t / 2.0),
    ),
    ("fractional_kelvin_voigt", "creep"): (
        [5.0, 10.0, 1.0],
        lambda t: -np.expm1(-t / 2.0) / 5.0,
    ),
    ("fractional_burgers", "creep"): (
        [0.01, 60.0, 0.2, 1.0, 2.0],
        lambda t: 0.01 + t / 60.0 - 0.2 * np.expm1(-t / 2.0),
    ),
    ("sgr_generic", "relaxation"): (
        [2.0, 50.0, 2.0],
        lambda t: 50.0 * -np.expm1(-t / 2.0) / (t / 2.0),
    ),
    ("sgr_conventional", "relaxation"): ([1.0, 50.0, 2.0], lambda t: np.full_like(t, 50.0)),
    ("sgr_conventional", "creep"): ([1.0, 50.0, 2.0], lambda t: np.full_like(t, 0.02)),
    ("sgr_generic", "oscillation"): ([1.0, 50.0, 2.0], lambda w: np.full_like(w, 50.0)),
}
HELD = dict.fromkeys(LIMITS, "the classical model at the bounds of its orders")


@pytest.mark.parametrize(("name", "mode"), list(LIMITS)[:: 1 if FULL else 2])
def test_a_bound_is_the_classical_model(name: str, mode: str) -> None:
    model, (params, known) = load(name), LIMITS[name, mode]
    np.testing.assert_allclose(
        model.predict(T, np.array(params), mode), known(T), rtol=1e-9, atol=1e-10
    )


@pytest.mark.parametrize(("name", "mode"), list(LIMITS)[:: 1 if FULL else 5])
def test_slopes_at_a_bound_are_finite(name: str, mode: str) -> None:
    model, (params, _) = load(name), LIMITS[name, mode]
    slopes = jax.jit(jax.jacfwd(lambda p: model.predict(T, p, mode)))(np.array(params))
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("x", [2.4, 2.9])
def test_slow_flow_has_the_viscosity_of_the_spectrum(x: float) -> None:
    stress = load("sgr_generic").predict(np.array([1e-9]), np.array([x, 50.0, 2.0]), "flow_curve")
    viscosity = 50.0 * 2.0 * (x - 1.0) / (x - 2.0)
    assert float(stress[0]) == pytest.approx(1e-9 * viscosity, rel=2e-3)


def test_a_flow_curve_joins_at_the_glass_transition_and_has_a_yield_stress_below() -> None:
    model, rates = load("sgr_generic"), np.array([1e-10, 1e-9])
    below, above = (
        np.asarray(model.predict(rates, np.array([x, 1.0, 1.0]), "flow_curve"))
        for x in (0.9999, 1.0001)
    )
    np.testing.assert_allclose(below, above, rtol=5e-3)
    glass = np.asarray(model.predict(rates, np.array([0.5, 1.0, 1.0]), "flow_curve"))
    assert glass[0] == pytest.approx(glass[1], rel=1e-3)
    assert glass[0] > 0.1


@pytest.mark.parametrize("x", [1.2, 1.5, 1.8])
def test_compliance_times_modulus_is_that_of_a_power_law_in_the_end(x: float) -> None:
    model, late, params = load("sgr_conventional"), np.array([1e8]), np.array([x, 50.0, 1e-3])
    product = model.predict(late, params, "creep") * model.predict(late, params, "relaxation")
    assert float(product[0]) == pytest.approx(np.sinc(x - 1.0), rel=0.02)
