"""Chains begin about the center of their coordinates, where there is a density."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from tests.inference.helpers import decay_data, decay_model

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.first_states import ROOM, first_states, is_nearly_gaussian
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.starts import SPREADS, Starts
from rheojobs.inference.sampling.warmup.curved_whitening import Bend
from rheojobs.inference.sampling.warmup.whitening import Geometry

SIGMA = 0.1
X = np.linspace(0.0, 1.0, 20)


def posterior_of(function, center):
    """Return the posterior of one parameter, uniform on (0, 10), and coordinates about a value."""
    model = Model.from_function(function, {"p": (0.0, 10.0, 1.0)}, "relaxation", name="own")
    data = Dataset(X, np.ones(X.size), "relaxation", sigma=np.full(X.size, SIGMA))
    problem = Problem.of(model, data, None)
    posterior = Posterior.of(problem, {}, {"p": center}, "sigma", "rheojax", {}, {})
    z = posterior.unconstrain(posterior.site_values({"p": center}, {}))
    width = np.array([[SIGMA / np.sqrt(X.size)]]) / (center * (10.0 - center) / 10.0)
    return posterior, Starts((Geometry(z, width, Bend.none(1)),), {})


def test_each_begins_elsewhere_with_the_density_there():
    posterior, starts = posterior_of(lambda x, p: p[0] + 0.0 * x, 1.0)
    states = first_states(posterior, starts, 4, seed=1)
    places = np.concatenate([state.z for state in states])
    assert len(set(places)) == len({int(state.key) for state in states}) == 4
    density = programs_of(posterior).log_density
    for state in states:
        assert int(state.step) == 0
        z = starts.geometries[0].unconstrained(state.z)
        assert float(state.potential) == pytest.approx(-float(density(z, *posterior.data)))
        rise = float(state.potential) + float(density(starts.geometries[0].center, *posterior.data))
        assert rise < ROOM
    again = first_states(posterior, starts, 4, seed=1)
    np.testing.assert_array_equal([state.z for state in again], [state.z for state in states])
    others = first_states(posterior, starts, 4, seed=2)
    assert not np.isin([state.z for state in others], places).any()


def test_none_begins_where_there_is_no_density_or_too_little():
    """Further from one than half a width there is nothing."""

    def function(x, p):
        near = jnp.abs(p[0] - 1.0) < 0.5 * SIGMA / np.sqrt(X.size)
        return jnp.where(near, p[0], jnp.nan) + 0.0 * x

    posterior, starts = posterior_of(function, 1.0)
    (geometry,) = starts.geometries
    for state in first_states(posterior, starts, 8, seed=3):
        assert abs(float(state.z[0])) < 0.5
        assert np.isfinite(float(state.potential))
    wide = Starts((geometry._replace(scale=1e6 * geometry.scale),), {})
    states = first_states(posterior, wide, 8, seed=3)
    assert [float(state.z[0]) for state in states] == 8 * [SPREADS[-1]]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x, p: jnp.nan * p[0] + 0.0 * x, "the start has no likelihood"),
        (
            lambda x, p: p[0] + jnp.sqrt(jnp.abs(p[0] - p[0])) + 0.0 * x,
            "its derivatives are not finite",
        ),
    ],
)
def test_without_density_or_derivatives_it_says_so(function, words):
    posterior, starts = posterior_of(function, 1.0)
    with pytest.raises(InputError, match=words):
        first_states(posterior, starts, 2, seed=1)


@pytest.mark.parametrize(
    ("function", "is_gaussian"),
    [
        (lambda x, p: p[0] + 0.0 * x, True),
        (lambda x, p: p[0] + 5.0 * jnp.maximum(p[0] - 1.01, 0.0) + 0.0 * x, False),
        (lambda x, p: jnp.where(p[0] < 1.02, p[0], jnp.nan) + 0.0 * x, False),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_density_that_falls_otherwise_is_seen(function, is_gaussian, seed):
    posterior, starts = posterior_of(function, 1.0)
    assert is_nearly_gaussian(posterior, starts, seed) is is_gaussian


def test_the_acceptance_follows_the_shape_unless_it_is_given():
    few = {"num_warmup": 50, "num_samples": 50, "num_chains": 2, "checkpoint": "", "seed": 1}
    found = sample(decay_data(), decay_model(), **few).diagnostics["starts"]
    assert found["target_accept"] == 0.85
    given = sample(decay_data(), decay_model(), target_accept=0.9, **few).diagnostics["starts"]
    assert given["target_accept"] == 0.9
    steep = Model.from_function(
        lambda x, p: p[0] + 5.0 * jnp.maximum(p[0] - 1.01, 0.0) + 0.0 * x,
        {"p": (0.0, 10.0, 1.0)},
        "relaxation",
        name="steep",
    )
    data = Dataset(1.0 + X, np.ones(X.size), "relaxation", sigma=np.full(X.size, SIGMA))
    assert sample(data, steep, **few).diagnostics["starts"]["target_accept"] == 0.95
