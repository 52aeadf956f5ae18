"""Criteria, covariances and warnings against formulas and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rheojobs.inference.fits import statistics as statistics
from rheojobs.inference.results.fit_result import bound_reached

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


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy"])
def test_a_loss_has_the_weight_that_its_slope_gives(loss):
    z = np.array([0.0, 0.3, 0.9, 1.5, 20.0])
    values = {
        "linear": lambda z: z,
        "soft_l1": lambda z: 2 * (np.sqrt(1 + z) - 1),
        "huber": lambda z: np.where(z <= 1, z, 2 * np.sqrt(np.abs(z)) - 1),
        "cauchy": np.log1p,
    }[loss]
    slopes = (values(z + 1e-6) - values(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(statistics.loss_weight(z, loss), slopes, rtol=1e-6)


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
