"""Criteria, covariances and warnings against formulas and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rheojobs.inference.fits import statistics as statistics
from rheojobs.inference.results.fit_result import bound_reached, generous, misfit

pytestmark = pytest.mark.promise("right-or-refused")


def test_criteria_are_those_of_gaussian_residuals():
    known = statistics.criteria(objective=8.0, values=20, free=3, is_absolute=False)
    deviance = 20 * math.log(8.0 / 20)
    assert known.aic == pytest.approx(deviance + 2 * 4)
    assert known.aicc == pytest.approx(known.aic + 2 * 4 * 5 / (20 - 5))
    assert known.bic == pytest.approx(deviance + math.log(20) * 4)
    absolute = statistics.criteria(objective=8.0, values=20, free=3, is_absolute=True)
    assert absolute.aic == pytest.approx(8.0 + 2 * 3)
    assert statistics.criteria(8.0, 4, 3, False).aicc == math.inf


def test_with_known_noise_the_criterion_has_no_bias_that_few_data_cause():
    """AIC estimates the deviance of new data: exactly, for a linear model and known noise."""
    random, design = np.random.default_rng(0), np.vander(np.linspace(-1.0, 1.0, 8), 4)
    fitted = design @ np.linalg.pinv(design)
    old, new = random.standard_normal((2, 20_000, 8))
    predicted = old @ fitted.T
    squares = np.sum((old - predicted) ** 2, axis=1)
    told = [statistics.criteria(float(one), 8, 4, True).aicc for one in squares]
    true = np.sum((new - predicted) ** 2, axis=1)
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.15)


def test_what_the_data_leave_open_does_not_spoil_the_rest():
    jacobian = np.column_stack([np.arange(1.0, 9.0), np.zeros(8), np.ones(8)])
    covariance = statistics.covariance_of(jacobian, 2.0)
    kept = jacobian[:, [0, 2]]
    np.testing.assert_allclose(
        covariance[np.ix_([0, 2], [0, 2])], 2.0 * np.linalg.inv(kept.T @ kept)
    )
    assert covariance[1, 1] == math.inf
    correlation = statistics.correlation_of(covariance)
    assert np.isnan(correlation[1]).all()
    assert correlation[0, 2] == pytest.approx(correlation[2, 0])


def test_r_squared_is_of_the_logarithms_where_asked_for():
    y, curve = np.array([[1.0, 10.0, 100.0]]), np.array([[1.0, 10.0, 1000.0]])
    expected = 1 - math.log(10) ** 2 / np.sum((np.log(y) - np.log(y).mean()) ** 2)
    assert statistics.r_squared(y, curve, True) == pytest.approx(expected)
    assert statistics.r_squared(y, y, False) == 1.0


def test_r_squared_with_weights_is_that_of_weighted_least_squares():
    random, x = np.random.default_rng(4), np.linspace(0.0, 1.0, 30)
    sigma = np.geomspace(0.01, 1.0, 30)
    y = 1.0 + 2.0 * x + sigma * random.standard_normal(30)

    def weighted(degree: int) -> float:  # residual sum of squares, by NumPy
        curve = np.polyval(np.polyfit(x, y, degree, w=1 / sigma), x)
        return float(np.sum(((y - curve) / sigma) ** 2))

    curve = np.polyval(np.polyfit(x, y, 1, w=1 / sigma), x)
    found = statistics.r_squared(y[None], curve[None], False, sigma[None])
    assert found == pytest.approx(1.0 - weighted(1) / weighted(0))  # against the weighted mean
    both = statistics.r_squared(
        np.stack([y, y]), np.stack([curve, curve]), False, np.stack([sigma, sigma])
    )
    assert both == pytest.approx(found)


def test_with_known_noise_chi_squared_says_whether_the_curve_misses():
    # A flat curve has R² = 0, which says nothing against it.
    assert misfit(0.0, 1.0, 40, is_absolute=True) == ""
    assert "R² = 0" in misfit(0.0, 1.0, 40, is_absolute=False)
    assert "1.41 σ" in misfit(0.999, 2.0, 40, is_absolute=True)
    assert "only 0.707 σ" in generous(0.5, 60)
    assert generous(0.9, 1000) == ""  # σ is 5 % too large, which harms nobody


@pytest.mark.parametrize("freedom", [4, 40, 400])
def test_chi_squared_is_judged_at_one_in_a_thousand(freedom):
    limit = stats.chi2.ppf(1 - 2e-4, freedom) / freedom
    assert (misfit(1.0, limit, freedom, is_absolute=True) != "") == (limit > 1.21)
    assert misfit(1.0, stats.chi2.ppf(1 - 5e-3, freedom) / freedom, freedom, True) == ""
    assert generous(stats.chi2.ppf(5e-3, freedom) / freedom, freedom) == ""


@pytest.mark.parametrize(
    ("value", "bounds", "words"),
    [
        (1.0, (1.0, 5.0), "lower"),
        (5.0, (1.0, 5.0), "upper"),
        (0.0, (0.0, math.inf), "lower"),
        (3.0, (1.0, 5.0), ""),
        (3.0, (-math.inf, math.inf), ""),
        (2.0, (2.0, 2.0), ""),
    ],
)
def test_a_bound_is_reached_where_there_is_one(value, bounds, words):
    assert bound_reached(value, bounds) == words


def test_what_has_no_bounds_may_still_be_undetermined():
    warnings = statistics.warnings_of(
        {"a": 1.0}, {"a": math.inf}, {"a": (-math.inf, math.inf)}, [], np.full((1, 1), np.nan)
    )
    assert warnings == ["these data do not determine a"]
