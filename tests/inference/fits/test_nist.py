"""NIST's reference problems of nonlinear regression: eight certified digits, from both starts."""

from __future__ import annotations

import pytest
from tests.inference.fits import strd

from rheojobs.inference.fits.task import fit

pytestmark = [pytest.mark.promise("right-or-refused"), pytest.mark.slow]

DIGITS = 8.0

ELSEWHERE = {("MGH10", 0)}
"""From here the curve is zero but for the first points, and only a valley leads on."""

EXACT = {"Lanczos1"}
"""Its data are exact to 14 digits: the residuals are rounding errors of double precision."""


def fitted(problem: strd.Problem, start: dict[str, float], **options):
    given = {"initial_params": start, "fixed": problem.fixed, "weights": "uniform"} | options
    return fit(problem.data, strd.model(), **given)


def agreement(found: dict[str, float], certified: dict[str, float]) -> float:
    """The digits of the parameter that agrees least."""
    return min(strd.digits(found[name], value) for name, value in certified.items())


# By size, so that each of the three programs is compiled once in one process.
CASES = [
    (name, start)
    for name in sorted(strd.NAMES, key=lambda name: strd.read(name).freedom)
    for start in (0, 1)
    if (name, start) not in ELSEWHERE
]


@pytest.mark.parametrize(("name", "start"), CASES)
def test_certified_values_are_found(name, start):
    problem = strd.read(name)
    result = fitted(problem, problem.starts[start])
    assert result.success
    assert result.free == len(problem.values)
    assert result.values - result.free == problem.freedom
    assert agreement(result.parameters, problem.values) >= DIGITS
    if name in EXACT:
        assert result.chi_squared < 1e-21
        return
    assert agreement(result.uncertainties, problem.deviations) >= DIGITS
    assert strd.digits(result.chi_squared, problem.residual_sum) >= DIGITS


def test_a_start_that_leads_nowhere_is_told_and_several_starts_within_bounds_find_the_minimum():
    problem = strd.read("MGH10")
    lost = fitted(problem, problem.starts[0])
    assert any("the curve misses the data" in text for text in lost.warnings)
    bounds = {"b1": (1e-4, 1.0), "b2": (1e2, 1e5), "b3": (1e1, 1e4)}
    found = fitted(problem, {}, bounds=bounds, multi_start=8)
    assert agreement(found.parameters, problem.values) >= DIGITS
