"""Parameters: hashed as part of a model, whatever prior they have."""

from __future__ import annotations

from rheojobs import Parameter
from rheojobs.inference.models.loading import load


def test_a_parameter_with_a_prior_of_its_own_can_be_hashed():
    """The comparison recognises models that RheoJAX has under two names by their parameters."""
    prior = {"type": "beta", "a": 2.0, "b": 2.0}
    assert hash(Parameter("order", 0.5, (0.0, 1.0), prior=prior))
    parameters = load("fractional_zener_ss").parameters
    assert any(item.prior for item in parameters)
    assert hash(parameters) == hash(load("fractional_zener_ss").parameters)


def test_sizes_may_be_given_wider_bounds_and_orders_may_not():
    assert Parameter("G0", 1e3, (1e-3, 1e9), "Pa").widest == (0.0, float("inf"))
    assert Parameter("alpha", 0.5, (0.0, 1.0)).widest == (0.0, 1.0)
    assert Parameter("n", 0.5, (0.1, 2.0), "dimensionless").widest == (0.1, 2.0)
    assert Parameter("held", 0.0, (0.0, 0.0), "Pa").widest == (0.0, 0.0)
