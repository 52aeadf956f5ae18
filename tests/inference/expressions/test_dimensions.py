"""Dimensions of names, found from what an expression computes."""

from __future__ import annotations

import pytest

from rheojobs.inference.expressions.dimensions import Dimension, dimensions_of
from rheojobs.inference.expressions.parser import parse

TIME, RATE, PA, COMPLIANCE, VISCOSITY = (
    *(Dimension(0, 1), Dimension(0, -1), Dimension(1, 0)),
    *(Dimension(-1, 0), Dimension(1, 1)),
)
OVER_TIME = {"t": TIME}
OVER_RATE = {"gamma_dot": RATE}
COMPLEX = {"omega": RATE, "i": Dimension()}


@pytest.mark.parametrize(
    ("text", "known", "result", "units"),
    [
        ("G0*exp(-t/tau)", OVER_TIME, PA, {"G0": "Pa", "tau": "s"}),
        ("1/G0 + t/eta", OVER_TIME, COMPLIANCE, {"G0": "Pa", "eta": "Pa·s"}),
        ("Jg + k*t", OVER_TIME, COMPLIANCE, {"Jg": "1/Pa", "k": "Pa^-1·s^-1"}),
        ("K*gamma_dot^n", OVER_RATE, PA, {"K": "Pa·s^n", "n": "dimensionless"}),
        ("K*gamma_dot^(n-1)", OVER_RATE, VISCOSITY, {"K": "Pa·s^n", "n": "dimensionless"}),
        (
            "eta0/(1 + (lam*gamma_dot)^2)^((1-n)/2)",
            OVER_RATE,
            VISCOSITY,
            {"eta0": "Pa·s", "lam": "s", "n": "dimensionless"},
        ),
        (
            "c_alpha*(i*omega)^alpha",
            COMPLEX,
            PA,
            {"c_alpha": "Pa·s^α", "alpha": "dimensionless"},
        ),
        ("max(sigma_y, sqrt(a*b))", OVER_TIME, PA, {"sigma_y": "Pa"}),  # a and b: only the product
        ("G*(t/tau)^2", OVER_TIME, PA, {}),  # any tau will do with some G
        ("G0*exp(-t)", OVER_TIME, PA, {}),  # a time is no number
        ("G0*t^t", OVER_TIME, PA, {}),
    ],
)
def test_they_follow_from_the_operations(text, known, result, units):
    found = dimensions_of([parse(text)], known, result)
    assert {name: dimension.unit for name, dimension in found.items()} == units


def test_names_in_exponents_are_told_apart():
    found = dimensions_of([parse("G*(a + exp(-(t/tau)^m))")], OVER_TIME, PA)
    assert found["m"].is_exponent
    assert found["a"] == Dimension()
    assert not found["a"].is_exponent


def test_two_expressions_share_their_names():
    two = [parse("G*(omega*tau)^2/(1 + (omega*tau)^2)"), parse("G*omega*lam")]
    found = dimensions_of(two, {"omega": RATE}, PA)
    assert {name: dimension.unit for name, dimension in found.items()} == {
        "G": "Pa",
        "tau": "s",
        "lam": "s",
    }
