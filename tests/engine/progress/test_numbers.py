"""What a person would expect of the numbers that a task reports."""

from __future__ import annotations

import decimal
import fractions
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rheojobs.engine.progress.numbers import whole_numbers

nan, inf = math.nan, math.inf


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ((3, 10), (3, 10)),
        ((3.0, 10.0), (3, 10)),
        ((0.25, 1.0), (250, 1000)),
        ((0.0, 1.0), (0, 1000)),
        ((1.0, 1.0), (1000, 1000)),
        ((0.29, 1), (290, 1000)),
        ((2.5, 10), (250, 1000)),
        ((1, 2.5), (400, 1000)),
        ((1, 1), (1, 1)),
        ((1234.5, 86400), (1234, 86400)),
        ((86400.4, 86400.4), (86400, 86400)),
        ((120, 100), (100, 100)),
        ((1.5, 1.0), (1000, 1000)),
        ((-3, 10), (0, 10)),
        ((-0.5, 1.0), (0, 1000)),
        ((3, -1), (3, 0)),
        ((3, 0), (3, 0)),
        ((3, None), (3, 0)),
        ((3, nan), (3, 0)),
        ((3, inf), (3, 0)),
        ((nan, 10), (0, 10)),
        ((inf, 10), (0, 10)),
        ((-inf, nan), (0, 0)),
        ((None, None), (0, 0)),
        ((np.int64(3), np.uint8(10)), (3, 10)),
        ((np.float32(0.5), np.float64(1.0)), (500, 1000)),
        ((np.array(3), np.array(10.0)), (3, 10)),
        ((np.float64("nan"), 10), (0, 10)),
        ((True, 2), (1, 2)),
        ((decimal.Decimal("0.5"), decimal.Decimal(1)), (500, 1000)),
        ((decimal.Decimal("sNaN"), 10), (0, 10)),
        ((fractions.Fraction(1, 4), 1), (250, 1000)),
        ((fractions.Fraction(10**400), 10), (0, 10)),
        ((10**400, 10**401), (10**400, 10**401)),
        ((0.5, 10**400), (0, 10**400)),
        ((5e-324, 1e-323), (500, 1000)),
    ],
)
def test_as_expected(reported: tuple[Any, Any], expected: tuple[int, int]) -> None:
    assert whole_numbers(*reported)[:2] == expected


@pytest.mark.parametrize("wrong", ["half", "3", b"3", [1, 2], np.array([1.0, 2.0]), 1j, object()])
def test_what_is_no_number_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="progress takes numbers, got current = "):
        whole_numbers(wrong, 10)
    with pytest.raises(TypeError, match="progress takes numbers, got total = "):
        whole_numbers(1, wrong)


def test_a_stage_that_counts_in_fractions_continues_to() -> None:
    assert whole_numbers(0.25, 1) == (250, 1000, True)
    assert whole_numbers(1, 1, is_fraction=True) == (1000, 1000, True)


any_number = st.one_of(
    st.integers(),
    st.floats(),
    st.fractions(),
    st.floats(width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.none(),
)


@given(any_number, any_number, st.booleans())
def test_any_number_gives_whole_numbers(current: Any, total: Any, is_fraction: bool) -> None:
    done, whole, _ = whole_numbers(current, total, is_fraction=is_fraction)
    assert type(done) is type(whole) is int
    assert done >= 0
    assert whole >= 0
    assert whole == 0 or done <= whole


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_counts_stay_as_they_are(counts: tuple[int, int]) -> None:
    assert whole_numbers(*counts)[:2] == counts


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(1e-3, 999.0))
def test_fractions_keep_their_order(first: float, second: float, total: float) -> None:
    low, high = sorted([first, second])
    before = whole_numbers(low * total, total, is_fraction=True)
    after = whole_numbers(high * total, total, is_fraction=True)
    assert before[0] <= after[0]
    assert before[1] == after[1]
