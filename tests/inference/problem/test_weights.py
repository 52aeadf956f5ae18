"""The reason of the weights is the true one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.optimize import least_squares
from tests.inference.helpers import decay_model

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.problem.weights import default_weights


@pytest.mark.parametrize(
    ("y", "weights", "reason"),
    [
        ([1.0, 50.0, 99.0], "uniform", "less than two decades"),
        ([1.0, 50.0, 500.0], "relative", "more than two decades"),
        ([-250.0, 50.0, 99.0], "uniform", "1 of 3 values is zero or negative"),
        ([0.0, -1.0, 1.0, 500.0], "uniform", "2 of 4 values are zero or negative.*the others span"),
        ([-3.0, -2.0, -1.0], "uniform", "3 of 3 values are zero or negative"),
    ],
)
def test_reasons(y: list[float], weights: str, reason: str) -> None:
    dataset = Dataset.of({"x": range(1, len(y) + 1), "y": y}, "relaxation")
    name, why = default_weights(dataset)
    assert name == weights
    assert re.search(reason, why)


def test_divided_residuals_are_those_of_scipy():
    """Noise of 30 %, where dividing by the data and taking logarithms differ by far."""
    t = np.linspace(0.05, 5.0, 40)
    y = 2e4 * np.exp(-t / 1.5) * np.random.default_rng(1).uniform(0.5, 1.5, t.size)
    found = least_squares(
        lambda p: (p[0] * np.exp(-t / p[1]) - y) / np.abs(y), (1e4, 1.0), x_scale=(1e4, 1.0)
    )
    expected = np.linalg.inv(found.jac.T @ found.jac) * 2 * found.cost / (t.size - 2)
    result = fit(Dataset(t, y, "relaxation"), decay_model(), weights="divided")
    assert list(result.parameters.values()) == pytest.approx(found.x, rel=1e-6)
    assert list(result.uncertainties.values()) == pytest.approx(
        np.sqrt(np.diag(expected)), rel=1e-4
    )
    logarithms = fit(Dataset(t, y, "relaxation"), decay_model(), weights="relative")
    assert logarithms.parameters["G0"] > 1.05 * result.parameters["G0"]
