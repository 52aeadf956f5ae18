"""Priors and likelihoods integrate to one: an evidence needs their constants."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import integrate
from tests.inference.helpers import decay_data

from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.likelihood import Likelihood
from rheojobs.inference.posterior.likelihood_names import LIKELIHOODS
from rheojobs.inference.posterior.prior_syntax import PRIOR_TYPES
from rheojobs.inference.posterior.priors import prior_of
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.programs import _constrained

pytestmark = pytest.mark.promise("right-or-refused")

PRIORS = {
    "normal": {"loc": 1.0, "scale": 2.0},
    "uniform": {"low": -1.0, "high": 3.0},
    "lognormal": {"loc": 0.5, "scale": 0.7},
    "loguniform": {"low": 1e-3, "high": 1e6},
    "loguniform from zero": {"low": 0.0, "high": 1e6, "offset": 1e-4},
    "halfnormal": {"scale": 3.0},
    "truncatednormal": {"loc": 1.0, "scale": 2.0, "low": 0.5, "high": 4.0},
    "truncatednormal above": {"loc": 1.0, "scale": 2.0, "low": 3.0},
    "truncatednormal below": {"loc": 1.0, "scale": 2.0, "high": -1.0},
    "exponential": {"rate": 0.1},
    "gamma": {"concentration": 2.5, "rate": 3.0},
    "beta": {"concentration1": 2.0, "concentration0": 3.0},
    "beta within limits": {"concentration1": 2.0, "concentration0": 2.0, "low": 0.1, "high": 0.6},
}


def total(prior) -> float:
    """Integrate the density in the unconstrained coordinate, as the sampler has it."""
    density = jax.jit(jax.vmap(lambda z: _constrained(z, prior)[1]))
    # The densities fall off at least like exp(-|z|); a trapezoid rule is exact for them.
    z = np.linspace(-60.0, 60.0, 240_001)
    return float(integrate.trapezoid(np.exp(np.asarray(density(z))), z))


def test_every_type_of_prior_is_looked_at():
    assert {name.split()[0] for name in PRIORS} == set(PRIOR_TYPES)


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_integrates_to_one_in_the_coordinate_of_the_sampler(name):
    prior = prior_of("p", {"type": name.split()[0], **PRIORS[name]})
    assert total(prior) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("given", [dist.Gumbel(1.0, 2.0), dist.InverseGamma(3.0, 2.0)])
def test_a_distribution_of_the_users_does_too(given):
    assert total(prior_of("p", given)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_likelihood_of_a_value_integrates_to_one(name):
    likelihood = Likelihood.named(name)
    data = decay_data()
    prediction = jnp.full((1, 200_001), 50.0)
    noise = jnp.array([0.2]) if likelihood.relative else jnp.array([8.0])
    if likelihood.is_known:
        told = jnp.full_like(prediction, 8.0)
    else:
        model = Model.from_function(lambda x, p: p[0] * x, {"a": (0.1, 1.0, 0.5)}, "relaxation")
        told = likelihood.told(Problem.of(model, data, None))
        told = jnp.minimum(told, 1.0)
    spread = likelihood.spread(prediction, noise, told)
    y = np.linspace(-4000.0, 4000.0, 200_001)
    density = np.exp(np.asarray(likelihood.log_prob(y[None], prediction, spread)))
    assert float(integrate.trapezoid(density[0], y)) == pytest.approx(1.0, abs=1e-6)
