from __future__ import annotations

import numpy as np

from rheojobs.inference.results.residuals import residuals_of

X = np.array([2.0, 1.0, 4.0])
Y = np.array([10.0, 20.0, -40.0])
FITTED = np.array([11.0, 18.0, -40.0])


def test_residuals_are_in_the_unit_of_the_data_and_ascend_in_x() -> None:
    shown = residuals_of(X, Y, FITTED, unit="Pa")
    assert shown.unit == "Pa"
    np.testing.assert_allclose(shown.x, [1.0, 2.0, 4.0])
    (part,) = shown.parts
    np.testing.assert_allclose(part, [2.0, -1.0, 0.0])
    assert shown.reach == 2.0


def test_relative_residuals_are_in_percent_of_the_data() -> None:
    shown = residuals_of(X, Y, FITTED, is_relative=True, unit="Pa")
    assert shown.unit == "%"
    np.testing.assert_allclose(shown.parts[0], [10.0, -10.0, 0.0])


def test_known_deviations_come_before_percent_and_zero_has_none() -> None:
    sigma = np.array([0.5, 1.0, 0.0])
    shown = residuals_of(X, Y, FITTED, sigma=sigma, is_relative=True)
    assert shown.unit == "σ"
    np.testing.assert_allclose(shown.parts[0], [2.0, -2.0, np.nan])
    assert shown.reach == 2.0


def test_each_modulus_has_residuals_of_its_own() -> None:
    shown = residuals_of(X, Y + 4j, FITTED + 5j, sigma=np.full(3, 2.0 + 0.5j))
    np.testing.assert_allclose(shown.parts[0], [1.0, -0.5, 0.0])
    np.testing.assert_allclose(shown.parts[1], [-2.0, -2.0, -2.0])


def test_no_residuals_reach_nowhere() -> None:
    assert residuals_of(np.empty(0), np.empty(0), np.empty(0)).reach == 0.0
