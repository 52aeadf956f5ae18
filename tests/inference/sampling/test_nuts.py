"""The plan of the warm-up, and the state that a chain begins in."""

from __future__ import annotations

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
    ChainState,
    Draws,
    Settings,
    advance,
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


NO_LIMIT = 10**9


@jax.jit
def take(state, steps, leapfrogs, settings):
    return advance(jax.value_and_grad(potential), state, steps, leapfrogs, settings)


def run(state, steps, settings, leapfrogs=NO_LIMIT):
    """Take steps, with everything an argument as in a sampling."""
    before = int(state.step)
    state, rows = take(state, steps, leapfrogs, settings)
    return state, Draws.of_rows(np.asarray(rows)[: int(state.step) - before])


def begun(z, key=1):
    """Return a chain before its first step."""
    state, _ = run(ChainState.at(np.asarray(z, dtype=float)), 1, Settings.to_look())
    return state.beginning(np.uint64(key))


def test_a_chain_looks_where_it_is_before_its_first_step():
    state = begun([1.0, 3.0], key=5)
    assert float(state.potential) == pytest.approx(1.0)
    np.testing.assert_allclose(state.gradient, [1.0, 1.0 / 3.0])
    np.testing.assert_array_equal(state.z, [1.0, 3.0])
    assert int(state.step) == 0
    assert int(state.key) == 5
    assert float(state.step_size) == 1.0


def test_the_warm_up_learns_the_mass_and_the_acceptance():
    settings = Settings.of(500, 0.9, 10)
    state, _ = run(begun([0.0, 0.0]), 500, settings)
    accepted, drawn = [], []
    for _ in range(4):
        state, draws = run(state, 500, settings)
        accepted.append(draws.accept)
        drawn.append(draws.z)
    assert np.mean(accepted) == pytest.approx(0.9, abs=0.05)
    inverse_mass = np.asarray(state.inverse_mass)
    assert inverse_mass[1, 1] / inverse_mass[0, 0] == pytest.approx(9.0, rel=0.6)
    np.testing.assert_allclose(
        state.mass_sqrt @ state.mass_sqrt.T, np.linalg.inv(inverse_mass), atol=1e-12
    )
    np.testing.assert_allclose(np.concatenate(drawn).std(axis=0), [1.0, 3.0], rtol=0.15)


def test_few_draws_leave_the_mass_about_round():
    num_warmup = FEW_STEPS + 1
    state, _ = run(begun([0.0, 0.0]), num_warmup, Settings.of(num_warmup, 0.9, 10))
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
    start = begun([1.0, 1.0], key=3)
    settings = Settings.of(50, 0.9, 10)
    whole, at_once = run(start, 100, settings)
    state, parts = start, []
    while (done := int(state.step)) < 100:
        state, draws = run(state, 100 - done, settings, leapfrogs=leapfrogs)
        taken = int(state.step) - done
        assert taken >= 1
        spent = draws.leapfrogs
        assert spent[:-1].sum() < leapfrogs
        assert spent.sum() >= leapfrogs or int(state.step) == 100
        parts.append(draws.z)
    np.testing.assert_array_equal(np.concatenate(parts), at_once.z)
    np.testing.assert_array_equal(state.z, whole.z)


def cliff(z):
    """Minus the log density of a Gaussian beside which there is nothing."""
    return jnp.where(z[0] > -0.5, 0.5 * jnp.sum(z**2), jnp.nan)


@jax.jit
def take_at_the_cliff(state, steps, settings):
    return advance(jax.value_and_grad(cliff), state, steps, NO_LIMIT, settings)


def test_a_chain_that_diverges_in_its_warm_up_takes_shorter_steps():
    sizes = {}
    for careful in (None, 0.99):
        settings = Settings.of(400, 0.8, 10, careful_accept=careful)
        look, _ = take_at_the_cliff(ChainState.at(np.zeros(2)), 1, Settings.to_look())
        state, _ = take_at_the_cliff(look.beginning(np.uint64(1)), 400, settings)
        assert bool(state.diverged)
        sizes[careful] = float(state.step_size)
    assert sizes[0.99] < 0.7 * sizes[None]
