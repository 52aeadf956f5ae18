"""One transition of the sampler: what it leaves as it is, and where it ends."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from rheojobs.inference.sampling.options import MAX_TREE_DEPTH
from rheojobs.inference.sampling.random_numbers import bits
from rheojobs.inference.sampling.trajectory import Start, grown

SCALES = jnp.array([1.0, 3.0])


def gaussian(z):
    return 0.5 * jnp.sum((z / SCALES) ** 2)


def banana(z):
    """Minus the log density of a ridge along a parabola: z1 is normal, z2 - z1^2 too."""
    return 0.5 * z[0] ** 2 + 0.5 * ((z[1] - z[0] ** 2) / 0.5) ** 2


def wall(z):
    """There is nothing below zero."""
    return jnp.where(z[0] > 0, z[0], jnp.nan)


def moved(function, z, key, step_size=0.4, depth=MAX_TREE_DEPTH, inverse_mass=None):
    potential = jax.value_and_grad(function)
    value, gradient = potential(z)
    mass = jnp.eye(z.shape[0]) if inverse_mass is None else inverse_mass
    mass_sqrt = jnp.linalg.cholesky(jnp.linalg.inv(mass))
    start = Start.at(z, value, gradient, mass_sqrt, key)
    return grown(potential, start, mass, step_size, key, depth)


@pytest.mark.parametrize("step_size", [0.3, 0.9])
@pytest.mark.parametrize("name", ["gaussian", "banana"])
def test_a_transition_leaves_the_distribution_as_it_is(name, step_size):
    """Exact draws are exact draws still; at a coarse step many points are rejected."""
    count = 20_000
    normal = np.random.default_rng(5).standard_normal((count, 2))
    if name == "gaussian":
        function, z = gaussian, normal * np.asarray(SCALES)
    else:
        function = banana
        z = np.column_stack([normal[:, 0], normal[:, 0] ** 2 + 0.5 * normal[:, 1]])
    inverse_mass = jnp.array([[1.0, 0.3], [0.3, 0.8]])
    keys = bits(np.uint64(11), np.arange(count))
    run = jax.jit(
        jax.vmap(lambda z, key: moved(function, z, key, step_size, inverse_mass=inverse_mass).z)
    )
    for _ in range(3):
        z = np.asarray(run(z, keys))
        keys = bits(np.uint64(12), keys)
    if name == "gaussian":
        round_ = z / np.asarray(SCALES)
    else:
        round_ = np.column_stack([z[:, 0], (z[:, 1] - z[:, 0] ** 2) / 0.5])
    for column in (*round_.T, (round_**2).sum(axis=1)):
        expected = stats.norm if column.min() < 0 else stats.chi2(2)
        assert stats.kstest(column, expected.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(round_.T)[0, 1]) < 4 / np.sqrt(count)


@pytest.mark.parametrize("step_size", [0.1, 0.7])
def test_trajectories_are_as_long_as_those_of_numpyro(step_size):
    from numpyro.infer import MCMC, NUTS

    count = 4000
    kernel = NUTS(
        potential_fn=gaussian,
        step_size=step_size,
        adapt_step_size=False,
        adapt_mass_matrix=False,
    )
    chain = MCMC(kernel, num_warmup=0, num_samples=count, progress_bar=False)
    chain.run(jax.random.PRNGKey(0), init_params=jnp.ones(2), extra_fields=("num_steps",))
    theirs = np.asarray(chain.get_extra_fields()["num_steps"], dtype=float)
    z = np.random.default_rng(6).standard_normal((count, 2)) * np.asarray(SCALES)
    keys = bits(np.uint64(13), np.arange(count))
    run = jax.jit(jax.vmap(lambda z, key: moved(gaussian, z, key, step_size).leapfrogs))
    ours = np.asarray(run(z, keys), dtype=float)
    # Theirs are of one chain, of which neighbours are hardly correlated.
    error = np.hypot(ours.std(), theirs.std()) / np.sqrt(count)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=5 * error)


def test_it_goes_on_until_it_may_double_no_more():
    end = moved(gaussian, jnp.array([1.0, 3.0]), np.uint64(1), step_size=1e-4, depth=3)
    assert int(end.leapfrogs) == 2**3 - 1
    assert bool(end.cut_short)
    assert not bool(end.diverging)
    assert float(end.accept) == pytest.approx(1.0, abs=1e-4)
    assert float(end.potential) == pytest.approx(float(gaussian(end.z)), rel=1e-12)
    np.testing.assert_allclose(end.gradient, jax.grad(gaussian)(end.z), rtol=1e-12)


def test_it_ends_where_it_diverges_and_stays_at_a_good_point():
    z = jnp.array([0.01, 0.0])
    ends = [moved(wall, z, np.uint64(key), step_size=3.0) for key in range(20)]
    assert any(bool(end.diverging) for end in ends)
    for end in ends:
        assert float(end.z[0]) > 0
        assert np.isfinite(float(end.potential))
        assert not bool(end.cut_short)


def test_a_step_of_zero_tells_the_density_and_nothing_else():
    start = Start(SCALES, 1e300, jnp.zeros(2), jnp.ones(2))
    potential = jax.value_and_grad(gaussian)
    end = grown(potential, start, jnp.eye(2), 0.0, np.uint64(1), 1)
    np.testing.assert_array_equal(end.z, SCALES)
    assert float(end.potential) == pytest.approx(1.0)
    np.testing.assert_allclose(end.gradient, [1.0, 1.0 / 3.0])
    nowhere = start._replace(z=jnp.array([-1.0, 0.0]))
    assert (
        float(grown(jax.value_and_grad(wall), nowhere, jnp.eye(2), 0.0, np.uint64(1), 1).potential)
        == 1e300
    )
