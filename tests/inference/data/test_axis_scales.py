from __future__ import annotations

import numpy as np
import pytest

from rheojobs.inference.data.axis_scales import are_logarithmic

FEW = np.linspace(1.0, 9.0, 5)
MANY = np.logspace(0, 3, 5)


@pytest.mark.parametrize(
    ("mode", "x", "y", "expected"),
    [
        ("startup", FEW, FEW, (False, False)),
        ("startup", MANY, MANY, (True, True)),
        ("startup", MANY, FEW, (True, False)),
        ("relaxation", MANY, FEW, (True, True)),
        ("oscillation", MANY, MANY - 2.0, (True, False)),
        ("relaxation", FEW, FEW, (False, False)),
        ("laos", MANY, MANY, (False, False)),
        (None, FEW, MANY, (False, True)),
        ("creep", np.empty(0), np.empty(0), (False, False)),
    ],
)
def test_axes_are_logarithmic_where_positive_data_span_decades(
    mode: str | None, x: np.ndarray, y: np.ndarray, expected: tuple[bool, bool]
) -> None:
    assert are_logarithmic(mode, x, y) == expected
