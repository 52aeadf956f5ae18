"""Fits of fractional models find the orders of data that mpmath made, below 0.46 too."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.physics.laplace_references import CURVES

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit

pytestmark = pytest.mark.physics

NOISE, SEED = 0.01, 7
TAU = 2.0


@pytest.mark.parametrize("order", ["0.2", "0.3", "0.377"])
def test_a_small_order_is_found_within_three_standard_errors(order: str) -> None:
    """With RheoJAX's function α = 0.3 is fitted as 0.415, with 7 times the modulus Ge."""
    curves = json.loads(CURVES.read_text(encoding="utf-8"))
    t, decay = TAU * np.array(curves["t"]), np.array(curves[order])
    truth = {"Ge": 300.0, "Gm": 1e4, "alpha": float(order), "tau_alpha": TAU}
    noise = NOISE * np.random.default_rng(SEED).standard_normal(len(t))
    data = Dataset(t, (truth["Ge"] + truth["Gm"] * decay) * (1.0 + noise), "relaxation")
    found = fit(data, "fractional_zener_ss", weights="relative", multi_start=4)
    for name, value in truth.items():
        assert abs(found.parameters[name] - value) < 3.0 * found.uncertainties[name], name
    assert found.uncertainties["alpha"] < 0.05
    assert np.sqrt(np.mean((data.y / found.fitted - 1.0) ** 2)) < 1.3 * NOISE
