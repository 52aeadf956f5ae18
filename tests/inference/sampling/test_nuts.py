"""The plan of the warm-up, and the state that a chain begins in."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.inference.sampling.nuts import (
    FEW_STEPS,
    LAST_SHARE,
    MAX_WINDOWS,
    NOT_ROUND,
    ROUND,
    Settings,
    advance,
    first_state,
    window_ends,
)


@given(st.integers(0, 1_000_000))
def test_windows_follow_on_one_another_and_end_with_the_warm_up(num_warmup):
    ends = window_ends(num_warmup)
    assert len(ends) <= MAX_WINDOWS
    assert ends == sorted(set(ends))
    assert (ends[-1:] or [-1]) == [num_warmup - 1]
    if num_warmup > FEW_STEPS:
        assert len(ends) >= 3  # the mass is estimated in those between the first and the last
        assert ends[-1] - ends[-2] == int(LAST_SHARE * num_warmup)


def potential(z):
    """Minus the log density of a Gaussian that is not round."""
    return 0.5 * jnp.sum((z / jnp.array([1.0, 3.0])) ** 2)


def test_a_chain_begins_at_the_first_point_that_will_do():
    proposals = np.array([[np.nan, 0.0], [1e9, 0.0], [1.0, 3.0], [0.0, 0.0]])
    state, good = first_state(potential, proposals, jax.random.PRNGKey(0), False, 1e6)
    assert bool(good)
    np.testing.assert_array_equal(state.z, [1.0, 3.0])
    assert float(state.potential) == pytest.approx(1.0)
    np.testing.assert_allclose(state.gradient, [1.0, 1.0 / 3.0])
    _, good = first_state(potential, proposals[:2], jax.random.PRNGKey(0), False, 1e6)
    assert not bool(good)


def test_a_chain_begins_no_further_out_than_it_may():
    """Beyond the posterior's mass it may find another place to stay."""
    proposals = np.array([[100.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    state, good = first_state(potential, proposals, jax.random.PRNGKey(0), False, 1e6)
    assert bool(good)
    np.testing.assert_array_equal(state.z, proposals[1])
    # Where the center has no density it tells nothing.
    nowhere = np.array([[100.0, 0.0], [np.nan, 0.0]])
    state, good = first_state(potential, nowhere, jax.random.PRNGKey(0), False, 1e6)
    assert bool(good)
    np.testing.assert_array_equal(state.z, nowhere[0])


NO_LIMIT = 10**9


@functools.partial(jax.jit, static_argnums=4)
def take(state, steps, leapfrogs, settings, forward):
    return advance(potential, state, steps, leapfrogs, settings, forward)


def run(state, steps, settings, forward=False, leapfrogs=NO_LIMIT):
    """Take steps, with everything an argument as in a sampling."""
    return take(state, steps, leapfrogs, settings, forward)


@pytest.mark.parametrize("forward", [False, True])
def test_the_warm_up_learns_the_mass_and_the_acceptance(forward):
    state, _ = first_state(potential, np.zeros((1, 2)), jax.random.PRNGKey(1), forward, 1e6)
    settings = Settings.of(500, 0.9, 10)
    state, _ = run(state, 500, settings, forward)
    accepted, drawn = [], []
    for _ in range(4):
        state, draws = run(state, 500, settings, forward)
        accepted.append(np.asarray(draws.accept)[:500])
        drawn.append(np.asarray(draws.z)[:500])
    assert np.mean(accepted) == pytest.approx(0.9, abs=0.05)
    inverse_mass = np.asarray(state.inverse_mass)
    assert inverse_mass[1, 1] / inverse_mass[0, 0] == pytest.approx(9.0, rel=0.6)
    np.testing.assert_allclose(
        state.mass_sqrt @ state.mass_sqrt.T, np.linalg.inv(inverse_mass), atol=1e-12
    )
    np.testing.assert_allclose(np.concatenate(drawn).std(axis=0), [1.0, 3.0], rtol=0.15)


def test_few_draws_leave_the_mass_about_round():
    state, _ = first_state(potential, np.zeros((1, 2)), jax.random.PRNGKey(1), False, 1e6)
    num_warmup = FEW_STEPS + 1
    state, _ = run(state, num_warmup, Settings.of(num_warmup, 0.9, 10))
    _, end, _ = window_ends(num_warmup)
    eigenvalues = np.linalg.eigvalsh(state.inverse_mass)
    weight, _ = ROUND
    assert eigenvalues.min() >= weight / (weight + end) - 1e-9
    assert not np.allclose(state.inverse_mass, np.eye(2))


def test_where_nothing_is_round_the_draws_decide_as_in_stan():
    settings = [Settings.of(100, 0.9, 10, is_round) for is_round in (True, False)]
    assert [float(each.prior_weight) for each in settings] == [ROUND[0], 5.0]
    assert [float(each.prior_variance) for each in settings] == [1.0, 1e-3]
    assert NOT_ROUND == (5.0, 1e-3)


@pytest.mark.parametrize("leapfrogs", [1, 7, 40, 300])
def test_no_step_begins_after_so_many_leapfrogs_and_the_draws_stay_the_same(leapfrogs):
    start, _ = first_state(potential, np.ones((1, 2)), jax.random.PRNGKey(3), False, 1e6)
    settings = Settings.of(50, 0.9, 10)
    whole, at_once = run(start, 100, settings)
    state, parts = start, []
    while (done := int(state.step)) < 100:
        state, draws = run(state, 100 - done, settings, leapfrogs=leapfrogs)
        taken = int(state.step) - done
        assert taken >= 1
        spent = np.asarray(draws.leapfrogs)[:taken]
        assert spent[:-1].sum() < leapfrogs
        assert spent.sum() >= leapfrogs or int(state.step) == 100
        parts.append(np.asarray(draws.z)[:taken])
    np.testing.assert_array_equal(np.concatenate(parts), np.asarray(at_once.z)[:100])
    np.testing.assert_array_equal(state.z, whole.z)
