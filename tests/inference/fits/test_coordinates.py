"""Parameters that must not exceed others are searched as a share of them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.coordinates import Coordinates, free_orders
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.programs.jax_setup import configure_jax

LINEAR = (Parameter("beta", 0.2, (0.0, 1.0)), Parameter("alpha", 0.5, (0.0, 1.0)))
DECADES = (Parameter("eta2", 1.0, (1e-3, 1e6)), Parameter("eta1", 5.0, (1e-3, 1e6)))


@pytest.mark.parametrize(
    ("parameters", "order", "values"),
    [
        (LINEAR, ("beta", "alpha"), [0.3, 0.6]),
        (LINEAR, ("beta", "alpha"), [0.7, 0.7]),
        (DECADES, ("eta2", "eta1"), [20.0, 3e4]),
    ],
)
def test_a_share_goes_there_and_back_and_has_the_right_slopes(parameters, order, values):
    configure_jax()
    coordinates = Coordinates(parameters, orders=(order,))
    u = coordinates.to_u(np.array(values))
    np.testing.assert_allclose(coordinates.from_u(u), values, rtol=1e-13)
    params, allowed = coordinates.checked_params(jnp.asarray(u))
    np.testing.assert_allclose(params, values, rtol=1e-13)
    assert bool(allowed)
    assert coordinates.dependent == (order[0],)
    inside = u - np.array([0.01, 0.0])
    step = 1e-6 * np.eye(2)
    rises = [coordinates.from_u(inside + h) - coordinates.from_u(inside - h) for h in step]
    np.testing.assert_allclose(
        coordinates.slopes(inside), [rises[k][k] / 2e-6 for k in range(2)], rtol=1e-6
    )


@pytest.mark.parametrize("parameters", [LINEAR, DECADES])
def test_no_coordinates_within_the_limits_violate_the_order(parameters):
    names = parameters[0].name, parameters[1].name
    coordinates = Coordinates(parameters, orders=(names,))
    limits = coordinates.limits({}, "a model")
    for share in np.linspace(0.0, 1.0, 5):
        for whole in np.linspace(0.0, 1.0, 5):
            at = limits.lower + np.array([share, whole]) * (limits.upper - limits.lower)
            values = coordinates.named(at)
            assert values[names[0]] <= max(values[names[1]], parameters[0].bounds[0])
    assert coordinates.named(limits.upper)[names[0]] == coordinates.named(limits.upper)[names[1]]


def test_what_the_user_holds_is_searched_as_it_is():
    assert free_orders([("beta", "alpha")], {"beta"}) == ()
    assert free_orders([("beta", "alpha")], {"alpha"}) == (("beta", "alpha"),)


@pytest.mark.slow
def test_a_fit_slides_along_its_limit_and_says_so():
    """The data are of a spring and a springpot in series: the second order is zero."""
    omega = np.geomspace(1e-2, 1e2, 30)
    wave = (1j * omega) ** 0.6
    noise = 1.0 + 0.01 * np.random.default_rng(3).standard_normal(30)
    data = Dataset(omega, 1e3 * wave / (1.0 + wave) * noise, "oscillation")
    found = fit(data, "fractional_maxwell_model")
    assert found.success
    values = found.parameters
    assert values["beta"] <= values["alpha"]
    assert values["beta"] == pytest.approx(values["alpha"], abs=0.02)
    assert values["alpha"] == pytest.approx(0.6, abs=0.02)
    at_limit = [text for text in found.warnings if "beta is at its limit, which is alpha" in text]
    assert bool(at_limit) == (values["beta"] > 0.9999 * values["alpha"])
