"""Correlated residuals: few false alarms, what correlation does to errors, and what is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.inference.helpers import decay_model

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.residual_correlation import LagOne, lag_one
from rheojobs.inference.fits.task import fit

pytestmark = pytest.mark.promise("right-or-refused")


def design(n: int) -> np.ndarray:
    """The Jacobian of a cubic."""
    return np.vander(np.linspace(-1.0, 1.0, n), 4)


def left(noise: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Residuals of the linear fit, by NumPy."""
    return noise - jacobian @ np.linalg.lstsq(jacobian, noise, rcond=None)[0]


def examined(noise: np.ndarray, jacobian: np.ndarray, size: float = 1.0) -> LagOne:
    x = np.arange(noise.size, dtype=float)
    return lag_one(left(noise, jacobian)[None], jacobian[None], x, size)


@pytest.mark.parametrize("n", [12, 60])
def test_independent_noise_has_a_deviation_of_zero_and_one(n):
    random, jacobian = np.random.default_rng(n), design(n)
    found = np.array([examined(random.standard_normal(n), jacobian).deviation for _ in range(2000)])
    assert abs(found.mean()) < 0.12
    assert 0.7 < found.std() < 1.05  # the variance may be taken larger, never smaller


@pytest.mark.parametrize("n", [12, 60])
@pytest.mark.parametrize("uneven", [False, True])
def test_clean_data_raise_few_alarms(n, uneven):
    """Of 1,000 datasets each; uneven noise spans two decades, as with the wrong weights."""
    random, jacobian = np.random.default_rng(7), design(n)
    sizes = np.geomspace(0.01, 1.0, n) if uneven else np.ones(n)
    alarms = sum(
        examined(sizes * random.standard_normal(n), jacobian).is_notable for _ in range(1000)
    )
    assert alarms <= 12


def test_two_components_are_two_series():
    random, jacobian = np.random.default_rng(1), design(20)
    both = np.stack([jacobian, np.zeros_like(jacobian)], 0)
    noise = random.standard_normal((2, 20))
    r = np.stack([left(noise[0], jacobian), noise[1]])
    found = lag_one(r, both, np.arange(20.0), 1.0)
    products = np.sum(r[:, 1:] * r[:, :-1])
    assert found.correlation == pytest.approx(products / np.sum(r**2))


def test_the_order_is_that_of_x():
    random, jacobian, x = np.random.default_rng(2), design(50), np.arange(50.0)
    r = left(np.cumsum(random.standard_normal(50)), jacobian)
    mixed = random.permutation(50)
    expected = lag_one(r[None], jacobian[None], x, 1.0)
    found = lag_one(r[None, mixed], jacobian[None, mixed], x[mixed], 1.0)
    assert found.correlation == pytest.approx(expected.correlation)
    assert found.deviation == pytest.approx(expected.deviation)


def autoregressive(random: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """Noise of variance one, each value correlated with the next."""
    noise = random.standard_normal(n)
    for k in range(1, n):
        noise[k] = rho * noise[k - 1] + math.sqrt(1 - rho**2) * noise[k]
    return noise


def test_the_factor_is_that_by_which_errors_of_a_mean_are_too_small():
    random, n, rho = np.random.default_rng(3), 400, 0.6
    constant = np.ones((n, 1))
    noises = [autoregressive(random, n, rho) for _ in range(400)]
    told = float(np.mean([examined(noise, constant).error_factor for noise in noises]))
    true = float(np.std([noise.mean() for noise in noises])) * math.sqrt(n)
    assert told == pytest.approx(true, rel=0.1)
    assert all(examined(noise, constant).is_notable for noise in noises)


def test_rounding_errors_are_no_residuals():
    jacobian = design(40)
    found = examined(1e-9 * np.sin(np.arange(40) / 9), jacobian, size=1.0)
    assert math.isnan(found.correlation)
    assert not found.is_notable


def test_a_curve_that_misses_a_trend_is_told():
    t = np.linspace(0.05, 5.0, 60)
    noise = 1 + 0.002 * np.random.default_rng(5).standard_normal(60)
    two_modes = 1e4 * (0.7 * np.exp(-t / 0.8) + 0.3 * np.exp(-t / 3.0)) * noise
    result = fit(Dataset(t, two_modes, "relaxation"), decay_model(), weights="relative")
    (warning,) = [text for text in result.warnings if "neighbouring residuals" in text]
    assert result.residual_correlation > 0.8
    assert result.independent_values < 6
    assert "counts 60 values as independent" in warning
    assert "Durbin-Watson" in warning
    assert "lag-1 correlation" in result.to_markdown()


@pytest.mark.slow
def test_clean_fits_raise_few_alarms():
    t, alarms = np.geomspace(0.01, 8.0, 30), 0
    for seed in range(1000):
        noise = 1 + 0.03 * np.random.default_rng(seed).standard_normal(30)
        data = Dataset(t, 2e4 * np.exp(-t / 1.5) * noise, "relaxation")
        result = fit(data, decay_model(), weights="relative")
        alarms += any("neighbouring residuals" in text for text in result.warnings)
    assert alarms <= 12
