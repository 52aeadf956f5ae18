"""Relaxation, creep and oscillation of a model are one linear response: no formula enters here.

Transforms are taken at real s, where nothing oscillates: s ∫ G(t) exp(-s t) dt for the modulus, the
same of J for the compliance, and Poisson's integral (2/π) ∫ s / (s² + ω²) G'(ω) dω for G*. Over
logarithms, sums of these converge exponentially.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.physics.held_against import FULL

from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model

pytestmark = pytest.mark.physics

# Parameters in each model's order, with all relaxation times near 1 s.
PARAMS: dict[str, list[float]] = {
    "maxwell": [1e3, 700.0],
    "zener": [300.0, 1e3, 500.0],
    "springpot": [40.0, 0.4],
    "fractional_maxwell_liquid": [1e3, 0.4, 2.0],
    "fractional_maxwell_model": [1e3, 0.6, 0.4, 1.0],
    "fractional_maxwell_gel": [1e3, 0.4, 1e3],
    "fractional_zener_ss": [300.0, 1e3, 0.5, 1.0],
    "fractional_zener_sl": [1000.0, 500.0, 0.5, 1.0],
    "fractional_zener_ll": [1000.0, 300.0, 0.5, 0.4, 0.3, 1.0],
    "fractional_kv_zener": [1e4, 2e3, 0.5, 1.0],
    "fractional_poynting_thomson": [1e4, 2e3, 0.35, 1.0],
    "fractional_burgers": [1e-3, 2000.0, 2e-3, 0.6, 0.5],
    "sgr_conventional": [1.4, 300.0, 0.5],
    "sgr_generic": [1.6, 300.0, 0.5],
}
MODES = ("relaxation", "creep", "oscillation")
HELD = {
    (name, mode): "the other two of relaxation, creep and oscillation"
    for name in PARAMS
    for mode in MODES
}
STEP, REACH = 0.2, 60.0
S = np.array([0.03, 1.0, 40.0]) if FULL else np.array([1.0])


def transforms(model: Model, params: np.ndarray) -> np.ndarray:
    """Return s G(s) by relaxation, by creep and by oscillation, shape (3, s)."""
    y = np.arange(-REACH, REACH, STEP)
    moved = np.exp(y)[:, None] / S  # times and frequencies of which the weights are those of y
    decay = np.exp(y - np.exp(y))[:, None] * STEP
    modulus, compliance = (
        np.asarray(model.predict(moved.ravel(), params, mode)).reshape(moved.shape)
        for mode in ("relaxation", "creep")
    )
    omega = np.exp(y)[:, None] * S
    storage = np.real(model.predict(omega.ravel(), params, "oscillation")).reshape(omega.shape)
    poisson = (2.0 / np.pi * STEP / (2.0 * np.cosh(y)))[:, None]
    return np.stack(
        [
            np.sum(decay * modulus, axis=0),
            1.0 / np.sum(decay * compliance, axis=0),
            np.sum(poisson * storage, axis=0),
        ]
    )


@pytest.mark.parametrize("name", list(PARAMS) if FULL else list(PARAMS)[::3])
def test_three_tests_give_one_response(name: str) -> None:
    by_test = transforms(load(name), np.array(PARAMS[name]))
    np.testing.assert_allclose(by_test[0], by_test[2], rtol=1e-7, err_msg="relaxation")
    np.testing.assert_allclose(by_test[1], by_test[2], rtol=1e-7, err_msg="creep")
