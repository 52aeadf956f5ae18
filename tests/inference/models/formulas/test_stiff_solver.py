"""The solver of stiff equations, against exact solutions and SciPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rheojobs.inference.models.formulas import stiff_solver
from rheojobs.inference.models.formulas.stiff_solver import solve
from rheojobs.inference.programs.jax_setup import configure_jax

configure_jax()


def relaxing(rate, t):
    """Prothero and Robinson's problem dy/dt = -rate (y - cos t), y(0) = 0."""
    return solve(lambda s, y: -rate * (y - jnp.cos(s)), jnp.zeros(1), t)[:, 0]


def exact(rate, t):
    wave = rate**2 * np.cos(t) + rate * np.sin(t) - rate**2 * np.exp(-rate * t)
    return wave / (1 + rate**2)


@pytest.mark.parametrize("rate", [1.0, 1e3, 1e6])
def test_layers_and_what_follows_them_are_exact(rate):
    t = np.geomspace(1e-8, 30.0, 300)
    np.testing.assert_allclose(relaxing(rate, t), exact(rate, t), atol=2e-8)


def test_times_are_in_any_order_and_repeated_and_do_not_change_each_other():
    t = np.geomspace(1e-3, 3.0, 12)
    alone = relaxing(1e3, t)
    shuffled = np.array([11, 3, 3, 0, 7])
    np.testing.assert_allclose(relaxing(1e3, t[shuffled]), alone[shuffled], rtol=1e-12)
    np.testing.assert_allclose(relaxing(1e3, t[:5]), alone[:5], atol=1e-9)


def test_a_stiff_oscillator_is_that_of_scipy():
    def slopes(y):
        return [y[1], 1e3 * (1 - y[0] ** 2) * y[1] - y[0]]

    t = np.linspace(0.0, 1500.0, 20)
    ours = solve(lambda s, y: jnp.stack(slopes(y)), jnp.array([2.0, 0.0]), t)
    theirs = solve_ivp(
        lambda s, y: slopes(y), (0, 1500), [2, 0], "Radau", t, rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(ours[:, 0], theirs.y[0], atol=1e-6)


def test_slopes_are_those_of_differences():
    t = np.array([1e-3, 0.1, 2.0])
    slope = jax.jacfwd(lambda rate: relaxing(rate, t))(50.0)
    step = 1e-4
    apart = (exact(50.0 + step, t) - exact(50.0 - step, t)) / (2 * step)
    np.testing.assert_allclose(slope, apart, atol=1e-8)


def test_a_solution_that_takes_too_many_steps_is_nan(monkeypatch):
    monkeypatch.setattr(stiff_solver, "MOST_STEPS", 20)
    t = np.array([1e-7, 30.0])
    out = solve(lambda s, y: -1e3 * (y - jnp.cos(30 * s)), jnp.zeros(1), t)[:, 0]
    assert np.isfinite(out[0])
    assert np.isnan(out[1])
