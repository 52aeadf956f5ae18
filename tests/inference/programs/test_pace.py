"""How many steps take a given time, from those that were measured."""

from __future__ import annotations

import pytest

from rheojobs.inference.programs.pace import Pace


def test_nothing_is_known_at_first():
    pace = Pace(8)
    assert not pace.is_known
    assert pace.steps(0.05) == pace.steps(50.0) == 8


def test_a_known_pace_fills_the_time():
    pace = Pace()
    pace.measured(0.2, 100)
    assert pace.is_known
    assert pace.steps(0.05) == 25


@pytest.mark.parametrize("seconds", [0.0, 1e-9])
def test_there_is_always_one(seconds):
    pace = Pace()
    pace.measured(10.0, 1)
    assert pace.steps(seconds) == 1


def test_the_slower_of_recent_ones_counts_and_is_forgotten_step_by_step():
    pace = Pace()
    for seconds, expected in [(0.1, 10), (0.01, 20), (0.01, 40), (0.2, 5)]:
        pace.measured(seconds, 1)
        assert pace.steps(1.0) == expected


def test_a_call_without_a_step_is_no_division_by_zero():
    pace = Pace()
    pace.measured(0.5, 0)
    assert pace.steps(1.0) == 2
