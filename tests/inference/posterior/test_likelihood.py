"""Likelihoods: their density by SciPy's formulas, and what each is for."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.likelihood import Likelihood
from rheojobs.inference.posterior.likelihood_names import LIKELIHOODS
from rheojobs.inference.sampling.sample import sample

TIMES = np.logspace(-1, 1.2, 40)
BOUNDS = {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}


def decay(x, params):
    """Relax with one time."""
    return params[0] * jnp.exp(-x / params[1])


MODEL = Model.from_function(decay, BOUNDS, test_modes="relaxation")


def data(noise: float = 0.05, seed: int = 0) -> Dataset:
    scatter = 1 + noise * np.random.default_rng(seed).standard_normal(TIMES.size)
    return Dataset(TIMES, 1e4 * np.exp(-TIMES / 2.0) * scatter, "relaxation")


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_density_is_scipys(name):
    kind = Likelihood.named(name)
    y = np.array([[1.0, 5.0, 20.0]])
    prediction = np.array([[1.1, 4.0, 30.0]])
    noise = np.array([0.2])
    told = np.array([[0.1, 0.2, 0.4]]) if kind.is_known else np.array([[1e-6]])
    spread = np.asarray(kind.spread(prediction, noise, told))
    expected = 0.2 * prediction if name.startswith("relative") else np.full((1, 3), 0.2)
    expected = told if kind.is_known else expected
    np.testing.assert_allclose(spread, expected)
    if name.endswith("student_t"):
        density = scipy.stats.t.logpdf(y, 4, prediction, spread)
    else:
        density = scipy.stats.norm.logpdf(y, prediction, spread)
    np.testing.assert_allclose(kind.log_prob(y, prediction, spread), density)


def test_relative_noise_is_found_where_the_noise_is_relative():
    drawn = sample(data(), MODEL, num_warmup=300, num_samples=500, likelihood="relative")
    assert drawn.summary["sigma"]["mean"] == pytest.approx(0.05, rel=0.4)
    assert drawn.units["sigma"] == ""
    low, high = drawn.credible_intervals["tau"]
    assert low < 2.0 < high
    assert drawn.diagnostics["likelihood"] == "relative"
    band = np.asarray(drawn.inference_data["posterior_predictive"]["y"])
    spread = band.std(axis=(0, 1)) / band.mean(axis=(0, 1))
    assert spread.max() < 0.1  # also where the modulus has fallen by three decades


def test_outliers_do_not_pull_where_they_are_expected():
    spoilt = data(0.01)
    spoilt.y[[5, 20]] *= 1.6
    counts = {"num_warmup": 300, "num_samples": 500}
    plain = sample(spoilt, MODEL, **counts, likelihood="relative")
    robust = sample(spoilt, MODEL, **counts, likelihood="relative_student_t")
    error = {
        name: abs(drawn.summary["tau"]["mean"] - 2.0)
        for name, drawn in (("plain", plain), ("robust", robust))
    }
    assert error["robust"] < 0.02
    assert robust.summary["tau"]["std"] < plain.summary["tau"]["std"] / 2


def test_an_unknown_likelihood_is_one_line():
    with pytest.raises(InputError, match="did you mean 'relative'"):
        sample(data(), MODEL, likelihood="relativ")
