"""Where parameters may lie, by the scales of the data."""

from __future__ import annotations

import numpy as np
import pytest

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.start_points import candidates, plausible_range
from rheojobs.inference.problem.problem import Problem

TIMES = np.geomspace(0.01, 10.0, 20)


def holds(problem: Problem, name: str, value: float) -> bool:
    """Whether a value of a parameter is plausible."""
    low, high = plausible_range(problem.model.parameter(name), problem)
    return low <= value <= high


def test_in_creep_the_modulus_is_the_stress_that_is_held_by_the_strain():
    strain = 0.04 + 0.01 * TIMES
    data = Dataset(TIMES, strain, "creep", protocol={"sigma_applied": 300.0})
    problem = Problem.of("fluidity_local", data, {})
    assert holds(problem, "G", 300.0 / 0.04)
    assert holds(problem, "tau_y", 300.0)


def test_a_compliance_tells_the_modulus_without_a_stress():
    problem = Problem.of("zener", Dataset(TIMES, 1e-3 + 1e-4 * TIMES, "creep"), {})
    assert holds(problem, "Ge", 500.0)
    assert not holds(problem, "Ge", 5e5)


def test_in_startup_the_modulus_is_the_stress_by_the_strain():
    rate, modulus, plateau = 400.0, 2.6e4, 100.0
    stress = np.minimum(modulus * rate * TIMES * 1e-4, plateau)
    data = Dataset(TIMES * 1e-4, stress, "startup", protocol={"gamma_dot": rate})
    assert holds(Problem.of("mikh", data, {}), "G", modulus)


@pytest.mark.parametrize("name", ["gamma_dyn", "Gamma"])
def test_a_number_whose_bound_is_far_lies_around_the_models_own_value(name):
    data = Dataset(TIMES, 100.0 * -np.expm1(-TIMES), "startup", protocol={"gamma_dot": 1.0})
    problem = Problem.of("mikh", data, {})
    parameter = problem.model.parameter(name)
    low, high = plausible_range(parameter, problem)
    assert parameter.bounds == (0.0, 1e4)
    assert low == pytest.approx(parameter.default / 100)
    assert high == pytest.approx(parameter.default * 100)
    drawn = candidates(problem, [parameter], {}, 100)[1:, 0]
    # As many below the model's own value as above.
    assert 40 <= np.sum(drawn < parameter.default) <= 60
