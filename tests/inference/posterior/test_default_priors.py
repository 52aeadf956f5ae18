"""The default priors: those of a sampling are those that the window shows, and follow the fit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.coordinates import Coordinates
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Parameter, log_offset
from rheojobs.inference.posterior.default_priors import default_prior
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.posterior.priors import prior_of
from rheojobs.inference.problem.problem import Problem

pytestmark = pytest.mark.promise("right-or-refused")

PARAMETERS = (
    Parameter("G0", 1e3, (1e-3, 1e9)),
    Parameter("narrow", 2.0, (1.0, 900.0)),
    Parameter("may_be_zero", 10.0, (0.0, 1e6)),
    Parameter("zero_but_narrow", 10.0, (0.0, 1e3)),
    Parameter("no_default", None, (0.0, 1e6)),
    Parameter("signed", 0.0, (-1e6, 1e6)),
    Parameter("alpha", 0.5, (0.0, 1.0)),
)


def test_they_are_uniform_in_the_coordinate_of_a_fit():
    """Equal steps of the fit's coordinate have equal probability, whatever the bounds."""
    coordinates = Coordinates(PARAMETERS)
    steps = np.linspace(coordinates.widest.lower, coordinates.widest.upper, 11)
    values = coordinates.from_u(steps)
    for column, parameter in enumerate(PARAMETERS):
        prior = default_prior(parameter, parameter.bounds)
        assert prior is not None
        reached = prior_of(parameter.name, prior).cumulative(values[:, column])
        assert reached == pytest.approx(np.linspace(0.0, 1.0, 11), abs=1e-9), parameter.name


def test_what_may_be_zero_spans_decades_above_its_default():
    assert log_offset(0.0, 1e6, 10.0) == pytest.approx(1e-5)
    assert math.isnan(log_offset(0.0, 1e6, None))
    assert log_offset(1e-3, 1e9, None) == 0.0


def test_those_that_are_sampled_are_the_same():
    model = Model.from_function(lambda x, p: p[0] + 0 * x, PARAMETERS, "relaxation", name="many")
    data = Dataset(np.linspace(1.0, 2.0, 20), np.full(20, 3.0), "relaxation")
    setup = Posterior.of(Problem.of(model, data, None), {}, {})
    for parameter, prior in zip(PARAMETERS, setup.priors, strict=False):
        known = default_prior(parameter, parameter.bounds)
        assert prior == prior_of(parameter.name, known)
    assert setup.priors[-2].words == "Uniform(low=0, high=1)"  # its name does not make it an order


def test_rheojax_fractional_orders_have_a_beta_within_their_bounds(melt_data):
    model = Problem.of("fractional_maxwell_liquid", melt_data, None).model
    order = model.parameter("alpha")
    beta = {"type": "beta", "concentration1": 2.0, "concentration0": 2.0}
    assert default_prior(order, (0.0, 1.0)) == beta
    assert default_prior(order, (0.2, 0.8)) == beta | {"low": 0.2, "high": 0.8}
    plain = default_prior(model.parameter("Gm"), (1e-3, 1e9), "rheojax")
    assert plain == {"type": "uniform", "low": 1e-3, "high": 1e9}
