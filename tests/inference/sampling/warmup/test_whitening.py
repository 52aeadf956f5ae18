"""Climbing to where a posterior is highest, and the coordinates in which it is round there."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.optimize import minimize
from tests.inference.helpers import decay_data, decay_model

from rheojobs.engine.cancellation import CancellationError
from rheojobs.inference.fits.task import fit
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.kernel_cache import KernelCache
from rheojobs.inference.sampling import programs
from rheojobs.inference.sampling.mode_search import NEAR_ENOUGH
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.warmup.whitening import Geometry, climb


def never() -> None:
    """Nobody cancels."""


def set_up(data, model, values, noise, **settings) -> tuple[Posterior, np.ndarray]:
    """The posterior, and the coordinates of a point."""
    posterior = Posterior.of(Problem.of(model, data, None), {}, values, **settings)
    return posterior, posterior.unconstrain(posterior.site_values(values, noise))


@pytest.fixture
def fractional(polyisoprene):
    """A model whose relative fit ends far from where constant noise has its mass."""
    fitted = fit(polyisoprene, "fractional_maxwell_liquid").parameters
    noise = {"sigma_real": 1e5, "sigma_imag": 1e5}
    theirs = {"default_priors": "rheojax", "likelihood": "constant"}
    return set_up(polyisoprene, "fractional_maxwell_liquid", fitted, noise, **theirs)


@pytest.mark.parametrize("likelihood", ["constant", "relative", "student_t", "relative_student_t"])
def test_the_gradient_and_the_value_are_those_of_the_log_density(likelihood):
    posterior, start = set_up(
        decay_data(), decay_model(), {"G0": 1e4, "tau": 3.0}, {"sigma": 0.2}, likelihood=likelihood
    )
    here = programs_of(posterior)._look(start, *posterior.data)
    value, gradient = jax.value_and_grad(programs_of(posterior)._log_density)(
        start, *posterior.data
    )
    assert here.density == pytest.approx(float(value), rel=1e-12)
    np.testing.assert_allclose(here.gradient, gradient, rtol=1e-9)
    assert np.linalg.eigvalsh(here.curvature).min() > 0


def test_a_climb_ends_where_the_posterior_is_highest(fractional):
    posterior, start = fractional
    top = climb(posterior, start, never)
    slope = jax.value_and_grad(lambda z: -programs_of(posterior)._log_density(z, *posterior.data))
    found = minimize(
        lambda z: [np.asarray(part, dtype=float) for part in slope(z)],
        top.center,
        jac=True,
        method="BFGS",
    )
    assert top.view.density >= -found.fun - 10 * NEAR_ENOUGH
    before = programs_of(posterior).log_density(start, *posterior.data)
    assert top.view.density > before + 100  # it had a way to go


def test_the_posterior_is_round_there(fractional):
    posterior, start = fractional
    geometry = Geometry.at(climb(posterior, start, never), posterior, never)
    density = programs_of(posterior).log_density
    hessian = jax.hessian(lambda w: density(geometry.unconstrained(w), *posterior.data))
    eigenvalues = -np.linalg.eigvalsh(hessian(np.zeros(start.size)))
    assert eigenvalues.min() > 0.3
    assert eigenvalues.max() < 3.0


def test_from_far_away_the_same_top_is_found():
    near = {"G0": 2e4, "tau": 1.5}
    posterior, start = set_up(decay_data(), decay_model(), near, {"sigma": 300.0})
    _, far = set_up(decay_data(), decay_model(), {"G0": 1e3, "tau": 20.0}, {"sigma": 1e4})
    tops = [climb(posterior, z, never) for z in (start, far)]
    assert float(tops[0].view.density) == pytest.approx(
        float(tops[1].view.density), abs=10 * NEAR_ENOUGH
    )
    np.testing.assert_allclose(tops[0].center, tops[1].center, rtol=1e-2)


def test_a_climb_can_be_cancelled():
    posterior, start = set_up(decay_data(), decay_model(), {"G0": 1e3, "tau": 20.0}, {"sigma": 1e4})

    def cancelled() -> None:
        raise CancellationError

    with pytest.raises(CancellationError):
        climb(posterior, start, cancelled)


def test_where_there_is_no_slope_the_climb_stays():
    posterior, start = set_up(decay_data(), decay_model(), {"G0": 1e3, "tau": 20.0}, {"sigma": 1e4})
    nowhere = np.full_like(start, np.nan)
    assert np.isnan(climb(posterior, nowhere, never).center).all()


def test_a_climb_of_several_calls_compiles_once(compilations, melt_data, monkeypatch):
    """Also where the program comes from disk, whose results JAX takes for others than NumPy's."""
    monkeypatch.setattr(programs, "_kept", KernelCache())
    values = {"G0": 1e5, "eta": 1e5}
    posterior, start = set_up(melt_data, "maxwell", values, {"sigma_real": 1e4, "sigma_imag": 1e4})
    compilations.clear()
    assert int(climb(posterior, start, never).taken) > 1
    assert len(compilations) == 1
