"""The names of test modes, and which one units and values give away."""

from __future__ import annotations

import numpy as np
import pytest

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.test_modes import (
    TEST_MODES,
    canonical_test_mode,
    detect_test_mode,
    x_of,
)

X = np.array([1.0, 2.0, 4.0])
Y = np.array([9.0, 6.0, 3.0])


@pytest.mark.parametrize(
    ("name", "mode"),
    [(mode, mode) for mode in TEST_MODES]
    + [
        ("Flow", "flow_curve"),
        ("flow curve", "flow_curve"),
        ("Rotation", "flow_curve"),
        (" SAOS ", "oscillation"),
        ("Frequency-Sweep", "oscillation"),
        ("stress relaxation", "relaxation"),
        ("start-up", "startup"),
    ],
)
def test_aliases_of_test_modes(name: str, mode: str) -> None:
    assert canonical_test_mode(name) == mode


def test_unknown_test_mode_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'relaxation'"):
        canonical_test_mode("relaxaton")
    with pytest.raises(InputError, match="known: relaxation, creep"):
        canonical_test_mode("quux")


def test_every_mode_has_an_x() -> None:
    assert x_of("oscillation") == ("angular frequency", "ω")
    assert {x_of(mode) for mode in TEST_MODES if mode not in ("oscillation", "flow_curve")} == {
        ("time", "t")
    }


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"quantity": "relaxation modulus"}, "relaxation"),
        ({"quantity": "creep compliance"}, "creep"),
        ({"x_unit": "s", "y_unit": "1/Pa"}, "creep"),
        ({"x_unit": "1/s", "y_unit": "Pa"}, "flow_curve"),
        ({"x_unit": "rad/s", "y_unit": "Pa"}, "oscillation"),
        ({"x_unit": "s", "y_unit": "Pa"}, "relaxation"),
        ({"x_unit": "s", "y_unit": "Pa", "quantity": "shear stress"}, None),
        ({"x_unit": "s"}, None),
        ({}, None),
    ],
)
def test_detection(fields: dict[str, str], mode: str | None) -> None:
    assert detect_test_mode(Dataset(X, Y, **fields)) == mode


def test_rising_stress_in_time_is_not_guessed() -> None:
    assert detect_test_mode(Dataset(X, Y[::-1], x_unit="s", y_unit="Pa")) is None
