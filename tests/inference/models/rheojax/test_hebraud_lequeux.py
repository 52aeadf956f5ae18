"""The steady flow of Hébraud and Lequeux's model, against its equation on a fine grid."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_banded
from scipy.optimize import brentq

from rheojobs.inference.models.rheojax.hebraud_lequeux import steady_stress
from rheojobs.inference.programs.jax_setup import configure_jax

configure_jax()


def moments_on_a_grid(d: float, rate: float, alpha: float) -> tuple[float, float]:
    """Solve the equation by central differences; gives the integral of P, and of s P."""
    reach, count = 24.0, 48001
    s, step = np.linspace(-reach, reach, count, retstep=True)
    bands = np.zeros((3, count))
    bands[0, 1:] = d / step**2 - rate / (2 * step)
    bands[1] = -2 * d / step**2 - np.where(np.abs(np.abs(s) - 1) < step / 2, 0.5, np.abs(s) > 1)
    bands[2, :-1] = d / step**2 + rate / (2 * step)
    source = np.zeros(count)
    source[count // 2] = -d / alpha / step
    density = solve_banded((1, 1), bands, source)
    return float(np.sum(density) * step), float(np.sum(density * s) * step)


@pytest.mark.parametrize(("rate", "alpha"), [(0.1, 0.3), (0.5, 0.1), (1.0, 0.45), (0.3, 0.8)])
def test_the_stress_is_that_of_the_equation(rate, alpha):
    d = brentq(lambda d: moments_on_a_grid(d, rate, alpha)[0] - 1.0, 1e-4, alpha)
    wanted = moments_on_a_grid(d, rate, alpha)[1]
    assert float(steady_stress(jnp.array([rate]), alpha)[0]) == pytest.approx(wanted, rel=1e-4)


def test_a_strong_coupling_flows_like_a_liquid_and_a_weak_one_yields():
    rates = jnp.array([1e-8, 1e-7])
    liquid, solid = steady_stress(rates, 0.7), steady_stress(rates, 0.3)
    assert float(liquid[1] / liquid[0]) == pytest.approx(10.0, rel=1e-3)
    assert float(solid[1] / solid[0]) == pytest.approx(1.0, rel=1e-2)


def test_at_high_rates_a_site_is_strained_until_it_yields_after_a_time_tau():
    assert float(steady_stress(jnp.array([1e4]), 0.3)[0]) == pytest.approx(1e4, rel=1e-3)


def test_slopes_are_those_of_the_stress():
    rates = jnp.array([1e-3, 0.1, 5.0])
    slopes = jax.jacfwd(lambda alpha: steady_stress(rates, alpha))(0.4)
    ends = [steady_stress(rates, 0.4 + step) for step in (1e-6, -1e-6)]
    np.testing.assert_allclose(slopes, (ends[0] - ends[1]) / 2e-6, rtol=1e-6)
