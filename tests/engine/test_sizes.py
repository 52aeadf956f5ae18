"""Amounts of memory, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.sizes import parse_bytes, size
from rheojobs.errors import InputError


@pytest.mark.parametrize(
    ("text", "amount"),
    [("2 GiB", 2 << 30), ("1.5mib", 3 << 19), ("500 MB", 5 * 10**8), (" 12 B ", 12), (7.9, 7)],
)
def test_read(text: str | float, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize("text", ["", "GiB", "2", "2 Gib b", "1e3 B", "-1 B", "0 B", True, None])
def test_nonsense(text: object) -> None:
    with pytest.raises(InputError, match="like '2 GiB'"):
        parse_bytes(text)  # type: ignore[arg-type]


def test_written() -> None:
    assert [size(n) for n in (0, 1023, 1024, 3.1 * 2**30, 2**50)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "3.1 GiB",
        "1024.0 TiB",
    ]


@given(st.integers(1, 2**60))
def test_read_as_written(amount: int) -> None:
    assert parse_bytes(size(amount)) == pytest.approx(amount, rel=0.05)
