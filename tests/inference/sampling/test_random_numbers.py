"""Numbers by their place: those that are published, and evenly spread."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rheojobs.inference.sampling.random_numbers import bits, normals, uniform, uniforms

# Of https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64, for the seed 1234567.
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_the_numbers_are_those_of_splitmix64():
    seed = np.uint64(1234567)
    assert np.asarray(bits(seed, np.arange(5))).tolist() == PUBLISHED
    assert [int(bits(seed, place)) for place in range(5)] == PUBLISHED


def test_a_uniform_number_is_never_an_end():
    ends = np.array([0, 2**64 - 1], dtype=np.uint64)
    low, high = np.asarray(uniform(ends))
    assert 0.0 < low < 1e-15
    assert 0.0 < 1.0 - high < 1e-15


@pytest.mark.parametrize("first", [0, 10_000])
def test_uniform_and_normal_numbers_are_distributed_as_they_should_be(first):
    key = np.uint64(7)
    assert stats.kstest(np.asarray(uniforms(key, first, 50_000)), "uniform").pvalue > 1e-3
    drawn = np.asarray(normals(key, first, 50_000))
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4 / np.sqrt(drawn.size)


def test_keys_of_neighbours_have_nothing_in_common():
    """Of the steps of a chain, which are counted."""
    keys = np.asarray(bits(np.uint64(3), np.arange(20_000)))
    first = np.asarray([uniform(bits(key, 0)) for key in keys[:2000]])
    assert stats.kstest(first, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 4 / np.sqrt(first.size)
