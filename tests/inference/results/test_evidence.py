"""Which of two estimates is the evidence, and what follows for several models."""

from __future__ import annotations

import math

import pytest

from rheojobs.inference.results.evidence import UNKNOWN, Evidence, probabilities

pytestmark = pytest.mark.promise("right-or-refused")

NOTHING = (math.nan, math.nan)


def test_the_bridge_is_taken_and_the_other_estimate_checks_it():
    alike = Evidence.of((-10.0, 0.02), (-10.05, 0.01), 0.2, True)
    assert (alike.log, alike.error, alike.reason) == (-10.0, 0.02, "")
    apart = Evidence.of((-10.0, 0.02), (-9.5, 0.01), 0.2, True)
    assert apart.log == -10.0
    assert "-10.00, importance sampling at the maximum -9.50" in apart.reason
    unreliable = Evidence.of((-10.0, 0.02), (-9.5, 0.01), 0.9, False)
    assert unreliable.reason == ""


def test_without_a_bridge_a_reliable_importance_sampling_is_taken():
    found = Evidence.of(NOTHING, (-9.5, 0.01), 0.2, True, "too few draws for a bridge")
    assert (found.log, found.error) == (-9.5, 0.01)
    assert found.reason == "too few draws for a bridge"
    assert math.isnan(Evidence.of(NOTHING, (-9.5, 0.01), 0.9, False).log)


def test_probabilities_are_those_of_equal_chances_before_the_data():
    one, other = (Evidence.of((log, 0.0), NOTHING, math.inf, False) for log in (-1e4, -1e4 - 2.0))
    found = probabilities({"one": one, "other": other, "unknown": UNKNOWN})
    assert found == pytest.approx({"one": 1 / (1 + math.exp(-2)), "other": 1 / (1 + math.exp(2))})
    assert probabilities({"unknown": UNKNOWN}) == {}


def test_a_shift_is_of_all_estimates():
    found = Evidence.of((-10.0, 0.02), (-10.05, 0.01), 0.2, True).shifted(3.0)
    assert (found.log, found.bridge, found.importance) == pytest.approx((-7.0, -7.0, -7.05))
    assert found.error == 0.02
