"""The steps of sliders and the values of parameters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.inference.models.parameters import Parameter
from rheojobs.qt.widgets.model.slider_scale import STEPS, SliderScale, usual_value

MODULUS = Parameter("G0", 1e5, (0.0, 1e9), "Pa")
ORDER = Parameter("alpha", 0.5, (0.0, 1.0))
SIGNED = Parameter("shift", None, (-math.inf, math.inf))
PARAMETERS = (MODULUS, ORDER, SIGNED, Parameter("tau", 1.0, (1e-30, 1e30), "s"))


@given(st.sampled_from(PARAMETERS), st.floats(-1e9, 1e9), st.integers(0, STEPS))
def test_values_stay_within_bounds_and_steps_are_found_again(
    parameter: Parameter, wanted: float, step: int
) -> None:
    lower, upper = parameter.bounds
    value = min(max(wanted, lower), upper)
    scale = SliderScale.of(parameter, parameter.bounds, value)
    assert lower <= scale.low <= value <= scale.high <= upper
    assert lower <= scale.value(step) <= upper
    if scale.high > scale.low:
        assert scale.step(scale.value(step)) == step


def test_a_modulus_is_logarithmic_and_an_order_is_not() -> None:
    scale = SliderScale.of(MODULUS, MODULUS.bounds, 1e4)
    assert scale.is_log
    assert (scale.low, scale.high) == pytest.approx((1e2, 1e6))
    assert scale.value(STEPS // 2) == pytest.approx(1e4)
    scale = SliderScale.of(ORDER, ORDER.bounds, 0.3)
    assert scale == SliderScale(0.0, 1.0, False)


def test_a_parameter_without_default_begins_within_its_bounds() -> None:
    assert usual_value(Parameter("a", None, (1e-2, 1e4)), (1e-2, 1e4)) == pytest.approx(10.0)
    assert usual_value(Parameter("a", None, (-2.0, 4.0)), (-2.0, 4.0)) == 1.0
    assert usual_value(Parameter("a", 7.0, (0.0, 9.0)), (0.0, 5.0)) == 5.0
