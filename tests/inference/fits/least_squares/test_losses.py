"""Robust losses: slopes by differences, Huber's formulas by hand, coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.least_squares.losses import (
    TUNING,
    loss_slope,
    loss_weight,
    robust_scatter,
)
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model

pytestmark = pytest.mark.promise("right-or-refused")

LOSSES = ("soft_l1", "huber", "cauchy")

LINE = Model.from_function(
    lambda x, p: p[0] + p[1] * x, {"a": (-1e3, 1e3), "b": (-1e3, 1e3)}, test_modes="relaxation"
)
TRUTH = {"a": 20.0, "b": 3.0}


@pytest.mark.parametrize("loss", ["linear", *LOSSES])
def test_a_loss_has_the_weight_that_its_slope_gives(loss):
    z = np.array([0.0, 0.3, 0.9, 1.5, 20.0])
    values = {
        "linear": lambda z: z,
        "soft_l1": lambda z: 2 * (np.sqrt(1 + z) - 1),
        "huber": lambda z: np.where(z <= 1, z, 2 * np.sqrt(np.abs(z)) - 1),
        "cauchy": np.log1p,
    }[loss]
    slopes = (values(z + 1e-6) - values(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(loss_weight(z, loss), slopes, rtol=1e-6)


@pytest.mark.parametrize("loss", ["linear", *LOSSES])
def test_the_slope_is_that_of_residual_times_weight(loss):
    r = np.array([-3.0, -0.7, 0.0, 0.4, 2.0, 9.0])

    def pull(r):
        return r * loss_weight(r**2, loss)

    expected = (pull(r + 1e-6) - pull(r - 1e-6)) / 2e-6
    np.testing.assert_allclose(loss_slope(r**2, loss), expected, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_estimates_have_95_percent_efficiency_for_gaussian_noise(loss):
    def mean(function):
        return integrate.quad(lambda r: function(r) * stats.norm.pdf(r), -12, 12, limit=200)[0]

    c = TUNING[loss]
    slope = mean(lambda r: loss_slope((r / c) ** 2, loss))
    square = mean(lambda r: (r * loss_weight((r / c) ** 2, loss)) ** 2)
    assert slope**2 / square == pytest.approx(0.95, abs=0.005)


def test_huber_s_formula_by_hand():
    residuals = np.array([0.5, -1.0, 4.0, 0.1, -0.6, 0.2])  # at scale 2, one is large
    found = robust_scatter(residuals, 2.0, "huber", free=2)
    slope = 5 / 6
    squares = 0.25 + 1.0 + 2.0**2 + 0.01 + 0.36 + 0.04
    excess = 1 + 2 / 6 * (slope * (1 - slope)) / slope**2
    assert found.slope == pytest.approx(slope)
    assert found.variance == pytest.approx(excess**2 * squares / 4 / slope**2)
    assert found.rise == pytest.approx(found.variance * slope)
    assert math.isnan(robust_scatter(residuals, 2.0, "huber", free=6).variance)


def line_data(seed: int, share: float, sigma: float | None = None) -> Dataset:
    """A straight line with Gaussian noise of one, and outliers of ten."""
    random, x = np.random.default_rng(seed), np.linspace(0.1, 5.0, 40)
    sizes = np.where(random.random(40) < share, 10.0, 1.0)
    y = TRUTH["a"] + TRUTH["b"] * x + sizes * random.standard_normal(40)
    return Dataset(x, y, "relaxation", sigma=None if sigma is None else np.full(40, sigma))


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("share", "sigma"), [(0.0, None), (0.1, None), (0.0, 1.0), (0.1, 1.0)])
def test_errors_and_profiles_cover_the_truth(loss, share, sigma):
    runs, factor = 200, stats.t.ppf(0.975, 38)
    held = np.zeros(2)
    for seed in range(runs):
        data = line_data(seed, share, sigma)
        weights = "uniform" if sigma is None else "sigma"
        result = fit(data, LINE, weights=weights, loss=loss, intervals="profile")
        for name, truth in TRUTH.items():
            low, high = result.intervals[name]
            inside = abs(result.parameters[name] - truth) <= factor * result.uncertainties[name]
            held += np.array([inside, low <= truth <= high]) / (2 * runs)
    # 0.95 ± 0.011; intervals that are 1.3 times too wide would cover 0.99.
    assert np.all((held > 0.915) & (held < 0.982)), held


@pytest.mark.parametrize("loss", LOSSES)
def test_an_interval_agrees_with_the_standard_error_for_a_line(loss):
    result = fit(line_data(3, 0.1), LINE, weights="uniform", loss=loss, intervals="profile")
    factor = stats.t.ppf(0.975, 38)
    for name, value in result.parameters.items():
        low, high = result.intervals[name]
        half = factor * result.uncertainties[name]
        # The objective is no parabola: its slope changes as residuals become large.
        assert 0.5 * (high - low) == pytest.approx(half, rel=0.25)
        assert low < value < high


def test_a_robust_fit_has_no_information_criteria(tmp_path):
    result = fit(line_data(1, 0.1), LINE, weights="uniform", loss="huber")
    assert all(math.isnan(value) for value in (result.aic, result.aicc, result.bic))
    assert "a robust loss is no likelihood" in result.to_markdown()
    result.save(tmp_path / "fit.json")
    again = type(result).load(tmp_path / "fit.json")
    assert math.isnan(again.aicc)
