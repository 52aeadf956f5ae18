from __future__ import annotations

import math

import pytest

from rheojobs.qt.widgets.common.texts import duration, estimate, number, unit_text, with_unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (0.03124, "0.03124"),
        (9999.9, "10⁴"),
        (1234.4, "1234"),
        (2.5e6, "2.5×10⁶"),
        (-1e-6, "−10⁻⁶"),
        (1e12, "10¹²"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.18, 0.044, "0.180"),
        (14460.0, 556.0, "1.446×10⁴"),
        (1.0, math.inf, "1"),
        (1.0, None, "1"),
        (0.001, 5.0, "0.0010"),
        (0.0, 0.1, "0"),
    ],
)
def test_estimate(value: float, uncertainty: float | None, text: str) -> None:
    assert estimate(value, uncertainty) == text


def test_units() -> None:
    assert unit_text("Pa·s^alpha") == "Pa·sᵅ"
    assert unit_text("dimensionless") == ""
    assert with_unit("ω", "rad/s") == "ω / (rad/s)"
    assert with_unit("n", "") == "n"


def test_a_duration_is_not_broken() -> None:
    assert duration(125.0) == "2\N{NO-BREAK SPACE}min\N{NO-BREAK SPACE}05\N{NO-BREAK SPACE}s"
