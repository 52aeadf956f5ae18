"""Priors without NumPyro are those of NumPyro: limits, coordinates, draws, shares."""

from __future__ import annotations

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from numpyro.distributions import biject_to
from scipy import stats

from rheojobs.errors import InputError
from rheojobs.inference.posterior.prior_syntax import PRIOR_TYPES
from rheojobs.inference.posterior.priors import (
    DistributionPrior,
    NamedPrior,
    prior_of,
)

GIVEN = {
    "normal": {"loc": 3.0, "scale": 0.5},
    "uniform": {"low": -1.0, "high": 4.0},
    "lognormal": {"loc": 1.0, "scale": 0.7},
    "loguniform": {"low": 1e-3, "high": 1e5},
    "halfnormal": {"scale": 2.0},
    "truncatednormal": {"loc": 0.0, "scale": 1.0, "low": -0.5, "high": 2.0},
    "exponential": {"rate": 0.2},
    "gamma": {"concentration": 3.0, "rate": 0.5},
    "beta": {"concentration1": 2.0, "concentration0": 5.0},
}
ORDER = {"type": "beta", "concentration1": 2.0, "concentration0": 2.0}
PRIORS = {kind: prior_of("x", {"type": kind, **given}) for kind, given in GIVEN.items()} | {
    "left": prior_of("x", {"type": "truncatednormal", "loc": 0.0, "scale": 1.0, "low": -0.5}),
    "right": prior_of("x", {"type": "truncatednormal", "loc": 0.0, "scale": 1.0, "high": 2.0}),
    "open": prior_of("x", {"type": "truncatednormal", "loc": 0.0, "scale": 1.0}),
    "order": prior_of("x", ORDER | {"low": 0.1, "high": 0.9}),
    "unit": prior_of("x", ORDER),
    "decades": prior_of("x", {"type": "loguniform", "low": 1.0, "high": 1e9}),
    "from zero": prior_of("x", {"type": "loguniform", "low": 0.0, "high": 1e6, "offset": 1e-3}),
}


def test_every_type_is_tried():
    assert set(GIVEN) == set(PRIOR_TYPES)


@pytest.mark.parametrize("name", PRIORS)
def test_it_is_that_of_numpyro(name):
    prior = PRIORS[name]
    theirs = prior.distribution()
    limits = DistributionPrior(theirs).limits
    assert prior.limits == pytest.approx(limits)
    draws = prior.draw(np.random.default_rng(1), 4000)
    assert draws.dtype == np.float64
    low, high = limits
    assert ((draws >= low) & (draws <= high)).all()
    for value in draws[:50]:
        expected = float(biject_to(theirs.support).inv(value))
        assert prior.unconstrain(float(value)) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    reference = np.asarray(theirs.sample(jax.random.PRNGKey(3), (4000,)))
    assert stats.ks_2samp(draws, reference).pvalue > 1e-3
    at = np.quantile(draws, [0.05, 0.3, 0.5, 0.9])
    assert prior.cumulative(at) == pytest.approx([0.05, 0.3, 0.5, 0.9], abs=0.03)


@pytest.mark.parametrize("name", PRIORS)
def test_its_numbers_are_traced_and_its_kind_is_not(name):
    prior = PRIORS[name]
    leaves, structure = jax.tree.flatten(prior)
    assert all(isinstance(leaf, float) and np.isfinite(leaf) for leaf in leaves)
    density = jax.jit(lambda given, x: given.distribution().log_prob(x))
    x = float(prior.draw(np.random.default_rng(0), 1)[0])
    assert float(density(prior, x)) == pytest.approx(float(prior.distribution().log_prob(x)))
    assert jax.tree.unflatten(structure, leaves) == prior


def test_far_truncations_are_drawn_within_their_limits():
    far = prior_of("x", {"type": "truncatednormal", "loc": 0.0, "scale": 1.0, "low": 40.0})
    draws = far.draw(np.random.default_rng(0), 100)
    assert (draws >= 40.0).all()
    assert np.isfinite(draws).all()


def test_words():
    uniform = prior_of("x", {"type": "uniform", "low": 1e-3, "high": 1e9})
    assert uniform.words == "Uniform(low=0.001, high=1e+09)"
    assert PRIORS["from zero"].words == "LogUniform(low=0, high=1e+06, offset=0.001)"
    assert PRIORS["order"].words == "Beta(concentration1=2, concentration0=2) scaled to 0.1 to 0.9"
    assert PRIORS["open"].words == "Normal(loc=0, scale=1)"
    assert prior_of("x", dist.Gumbel(0.0, 2.0)).words == "Gumbel(loc=0, scale=2)"


def test_a_distribution_made_of_others_survives_flattening():
    shift = dist.transforms.AffineTransform(0.1, 0.8, domain=dist.constraints.unit_interval)
    given = dist.TransformedDistribution(dist.Beta(2.0, 3.0), shift)
    prior = prior_of("x", given)
    again = jax.tree.unflatten(jax.tree.structure(prior), jax.tree.leaves(prior))
    assert float(again.distribution().log_prob(0.4)) == float(given.log_prob(0.4))
    assert prior.words == "Beta(concentration1=2, concentration0=3) scaled to 0.1 to 0.9"


def test_an_improper_prior_says_that_it_cannot_be_drawn():
    improper = prior_of("x", dist.ImproperUniform(dist.constraints.real, (), ()))
    with pytest.raises(NotImplementedError):
        improper.draw(np.random.default_rng(0), 3)


def test_a_beta_of_other_shapes_takes_numpyro_share():
    prior = NamedPrior("beta", {"concentration1": 2.0, "concentration0": 3.0})
    expected = stats.beta(2.0, 3.0).cdf([0.2, 0.7])
    assert prior.cumulative(np.array([0.2, 0.7])) == pytest.approx(expected)


def test_a_logarithm_from_zero_on_is_uniform():
    """Of x with a uniform ln(x + c): its density by SciPy, and its coordinate at both ends."""
    prior = PRIORS["from zero"]
    known = stats.loguniform(1e-3, 1e6 + 1e-3, loc=-1e-3)
    x = np.array([1e-7, 1e-3, 1.0, 5e5])
    assert prior.distribution().log_prob(x) == pytest.approx(known.logpdf(x), rel=1e-9)
    assert prior.cumulative(x) == pytest.approx(known.cdf(x), rel=1e-6)
    assert stats.kstest(prior.draw(np.random.default_rng(2), 4000), known.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"low": 0.0, "high": 1.0}, "low must be positive, got 0; with an offset"),
        ({"low": 0.0, "high": 1.0, "offset": -1.0}, "offset must not be negative, got -1"),
    ],
)
def test_a_logarithm_of_nothing_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        prior_of("x", {"type": "loguniform", **given})
