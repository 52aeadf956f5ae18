"""Numbers show only the digits that are known."""

from __future__ import annotations

import math

import pytest

from rheojobs.cli.terminal.numbers import interval, measured, number, plural


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (129400.0, 5012.0, "(1.294 ± 0.050)×10⁵"),
        (0.9407, 0.0352, "0.941 ± 0.035"),
        (0.5822, 0.088, "0.582 ± 0.088"),
        (1912.4, 67.3, "1912 ± 67"),
        (180.4, 140.2, "180 ± 140"),
        (7.717e-4, 5.9e-5, "(7.72 ± 0.59)×10⁻⁴"),
        (-3.2e-6, 4e-7, "(-3.20 ± 0.40)×10⁻⁶"),
        (173.5, 9.96, "173.5 ± 10.0"),
        (1e-6, 1e-3, "(0.0 ± 1.0)×10⁻³"),
        (2.015e6, math.inf, "2.015×10⁶"),
        (2.5, 0.0, "2.500"),
        (0.0, 0.0, "0"),
        (math.nan, 1.0, "–"),
    ],
)
def test_an_estimate_has_two_digits_of_its_uncertainty(value, error, text):
    assert measured(value, error) == text


def test_an_estimate_known_beyond_double_precision_stays_readable():
    assert len(measured(1.0 / 3.0, 1e-30)) < 50


@pytest.mark.parametrize(
    ("low", "high", "center", "text"),
    [
        (1.266e5, 1.341e5, 1.3e5, "(1.266 … 1.341)×10⁵"),
        (8100.0, 11312.0, 9740.0, "8100 … 11300"),
        (0.3, 461.0, 180.0, "0 … 460"),
        (3e-4, 5e-3, 9e-4, "(3 … 50)×10⁻⁴"),
        (2.0, 2.0, 2.0, "2.000"),
        (math.nan, math.nan, 1.0, "– … –"),
    ],
)
def test_an_interval_has_the_digits_of_its_width(low, high, center, text):
    assert interval(low, high, center) == text


def test_numbers_and_counts():
    values = (0.0, 1234.2, 123456.0, 1e-9, math.inf, -math.inf)
    texts = ["0", "1234", "1.235×10⁵", "1.000×10⁻⁹", "∞", "−∞"]
    assert [number(value) for value in values] == texts
    assert [plural(1, "draw"), plural(4000, "draw")] == ["1 draw", "4,000 draws"]
