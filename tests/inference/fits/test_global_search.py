"""Looking beyond the minima of the starts: when it is done, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest
from tests.inference.models import every_model

from rheojobs.inference.fits.global_search import search
from rheojobs.inference.fits.least_squares.residuals import Data
from rheojobs.inference.fits.outcome import Outcome, lowest

X = np.arange(40.0)
NOISE = np.random.default_rng(3).standard_normal((1, 40))


def end(cost: float, residuals: np.ndarray = NOISE, converged: bool = True) -> Outcome:
    """Give where a start might have ended."""
    empty = np.zeros((1, 40, 4))
    return Outcome(np.full(4, cost), cost, residuals, empty, residuals, converged, "")


def data() -> Data:
    """Give data of 40 points and four free parameters."""
    y, bound = np.ones((1, 40)), np.ones(4)
    return Data(X, y, y, y[0], 0.0, 0, 1.0, -bound, bound, bound)


class Bowl:
    """An objective that can be screened: how far a point is from one."""

    def screen(self, points: np.ndarray, data: Data) -> np.ndarray:
        """Give it at each of the points."""
        return np.sum((points - 1.0) ** 2, axis=1)


def looked(ends: list[Outcome]) -> tuple[Outcome, list[int]]:
    """Search where every improvement ends at 7; gives also how many starts each had."""
    counts: list[int] = []

    def improve(starts: np.ndarray) -> Outcome:
        counts.append(len(starts))
        return end(7.0)

    points = np.random.default_rng(1).uniform(-1, 1, (64, 4))
    return search(Bowl(), ends, points, data(), X, improve), counts  # type: ignore[arg-type]


def test_where_the_starts_agree_and_leave_noise_nothing_is_searched():
    ends = [end(9.0), end(9.001), end(9.0), end(50.0)]
    assert looked(ends) == (ends[0], [])


def test_where_the_starts_disagree_it_goes_on_until_nothing_comes():
    found, counts = looked([end(9.0), end(50.0), end(60.0), end(70.0)])
    assert found.cost == 7.0
    assert counts == [32, 16, 16, 16, 16]


def test_where_a_trend_is_left_it_goes_on_though_all_agree():
    trend = np.sin(X / 5)[None, :]
    found, counts = looked([end(9.0, trend)] * 4)
    assert found.cost == 7.0
    assert counts


def test_a_minimum_goes_before_what_is_hardly_lower_and_none():
    lower, minimum, higher = end(9.0, converged=False), end(9.01), end(12.0)
    assert lowest([lower, minimum, higher], data()) is minimum
    assert lowest([lower, higher], data()) is lower


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("mikh", "laos"),  # nearly all starts end where nothing yields
        ("fractional_zener_ll", "oscillation"),
    ],
)
@pytest.mark.timeout(1200)
def test_it_finds_the_minimum_that_no_start_leads_to(name, mode):
    row = every_model.fit_pair(name, mode)
    assert row["converged"]
    assert row["loss"] < 1.05
