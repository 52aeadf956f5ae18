"""A parameter from file to file, new starts from neighbours, and the better of two fits."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from rheojobs.inference.batch.trend import (
    Measured,
    better_of,
    interval_of,
    start_from_neighbours,
    trend_of,
)
from rheojobs.inference.results.fit_result import FitResult


def fit(tau: float, *, error: float = 0.1, **given: Any) -> FitResult:
    return FitResult(
        **{
            "model_name": "maxwell",
            "parameters": {"tau": tau, "n": 0.5},
            "r_squared": 0.99,
            "mpe": 1.0,
            "chi_squared": 1.0,
            "fit_time": 0.1,
            "timestamp": datetime.now(UTC),
            "n_iterations": 3,
            "success": True,
            "uncertainties": {"tau": error, "n": math.inf},
            "units": {"tau": "s"},
            "bounds": {"tau": (1e-6, 1e6), "n": (0.0, 1.0)},
            "objective": 1.0,
        }
        | given
    )


def at(*places: tuple[float, float], doubtful: int = -1) -> list[Measured]:
    return [
        Measured(number, x, fit(tau), "it misses" if number == doubtful else "")
        for number, (x, tau) in enumerate(places)
    ]


def test_a_trend_has_the_points_with_a_place() -> None:
    trend = trend_of(at((300.0, 3.0), (math.nan, 2.0), (320.0, 1.0), doubtful=2), "tau")
    assert (trend.unit, trend.is_log, trend.what) == ("s", True, "standard error")
    assert [(point.number, point.x, point.y, point.kind) for point in trend.points] == [
        (0, 300.0, 3.0, "good"),
        (2, 320.0, 1.0, "doubtful"),
    ]
    assert (trend.points[0].low, trend.points[0].high) == pytest.approx((2.9, 3.1))
    linear = trend_of(at((300.0, 3.0)), "n")
    assert (linear.is_log, linear.what) == (False, "")
    assert trend_of([], "tau").points == ()


def test_on_a_logarithmic_axis_no_bar_ends_below_zero() -> None:
    (point,) = trend_of([Measured(0, 1.0, fit(1.0, error=5.0))], "tau").points
    assert (point.low, point.high) == (1e-6, 6.0)


def test_a_fit_that_did_not_converge_has_its_own_mark() -> None:
    (point,) = trend_of([Measured(0, 1.0, fit(1.0, success=False), "did not")], "tau").points
    assert point.kind == "unconverged"


def test_profile_intervals_come_first() -> None:
    one = fit(1.0, intervals={"tau": (0.5, 3.0)})
    assert interval_of(one, "tau") == (0.5, 3.0)
    assert interval_of(one, "n") == (0.5, 0.5)
    open_end = fit(1.0, intervals={"tau": (0.5, math.inf)})
    assert interval_of(open_end, "tau") == pytest.approx((0.9, 1.1))
    assert trend_of([Measured(0, 1.0, one)], "tau").what == "95 % interval"


def test_parameters_of_one_name_with_other_units_are_not_mixed() -> None:
    other = Measured(1, 2.0, fit(7.0, units={"tau": "Pa"}))
    assert len(trend_of([*at((1.0, 1.0)), other], "tau").points) == 1


def test_a_new_start_is_the_middle_of_the_neighbours() -> None:
    measured = at((1, 1e4), (2, 1e3), (3, 1e2), (4, 5e5), (5, 1e0), (6, 1e-1), doubtful=3)
    assert start_from_neighbours(measured, 3)["tau"] == pytest.approx(10.0)
    # At the end of the series there are neighbours on one side only.
    assert start_from_neighbours(measured, 5)["tau"] == pytest.approx(10.0)
    # Without a place, all good fits count; without good fits there is no start.
    unplaced = [*measured, Measured(6, math.nan, fit(1.0))]
    assert start_from_neighbours(unplaced, 6)["tau"] == pytest.approx(1e2)
    assert start_from_neighbours(at((1, 1.0), doubtful=0), 0) == {}


def test_fixed_parameters_are_no_start() -> None:
    measured = [Measured(0, 1.0, fit(1.0)), Measured(1, 2.0, fit(2.0, fixed={"n": 0.5}))]
    assert set(start_from_neighbours(measured, 0)) == {"tau"}


def test_the_better_fit_is_kept() -> None:
    good, bad = fit(1.0, objective=1.0), fit(2.0, objective=2.0)
    assert better_of(None, bad) is bad
    assert better_of(bad, good) is good
    assert better_of(good, bad) is good
    # A fit that did not converge is replaced by one that did.
    assert better_of(fit(1.0, objective=1.0, success=False), bad) is bad
    # Others cannot be compared.
    assert better_of(good, fit(2.0, objective=9.0, weights="relative")).objective == 9.0
    assert better_of(good, fit(2.0, objective=9.0, model_name="zener")).objective == 9.0
