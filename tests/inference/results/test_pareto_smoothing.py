"""Smoothed weights and k̂ are those of ArviZ, whatever the weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rheojobs.inference.results.pareto_smoothing import largest_good_k, smoothed

pytestmark = pytest.mark.promise("right-or-refused")


@settings(max_examples=60, deadline=None)
@example(count=2280, scale=5.501953125, offset=0.0, freedom=1.5, seed=188)
@given(
    count=st.integers(25, 3000),
    scale=st.floats(0.01, 20.0),
    offset=st.floats(-1e4, 1e4),
    freedom=st.sampled_from([1.5, 4.0, 100.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_weights_and_k_are_those_of_arviz(count, scale, offset, freedom, seed):
    weights = offset + scale * np.random.default_rng(seed).standard_t(freedom, count)
    expected, expected_k = array_stats.psislw(-weights)
    found, k = smoothed(weights)
    top = found.max()
    normalized = found - top - math.log(np.exp(found - top).sum())
    if math.isfinite(k):
        assert k == pytest.approx(float(expected_k), rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(normalized, expected, rtol=1e-8, atol=1e-8)
    else:  # ArviZ goes on where a quarter of the tail's weights are zero in floating point
        tail = np.sort(weights)[-int(min(count / 5, 3 * math.sqrt(count))) :]
        is_zero = np.exp(tail[len(tail) // 4] - tail[-1]) < 1e-300
        assert is_zero or not math.isfinite(float(expected_k))
    assert found.max() <= weights.max()


def test_weights_without_a_tail_have_an_infinite_k():
    few = np.zeros(20)
    for weights in (few, np.zeros(500), np.full(500, -np.inf)):
        found, k = smoothed(weights)
        assert k == math.inf
        np.testing.assert_array_equal(found, weights)


def test_few_points_need_a_smaller_k():
    """The limit is that of Vehtari et al. (2024): 1 - 1 / log10(S), at most 0.7."""
    assert largest_good_k(5) == 0.0
    assert largest_good_k(100) == pytest.approx(0.5)
    assert largest_good_k(10**6) == 0.7
