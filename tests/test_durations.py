"""Durations as they are written in the command and in the window."""

from __future__ import annotations

import pytest

from rheojobs.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0.0 s"),
        (3.21, "3.2 s"),
        (9.96, "10 s"),
        (42.7, "43 s"),
        (59.7, "1 min 00 s"),
        (125.0, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (4320.0, "1 h 12 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
