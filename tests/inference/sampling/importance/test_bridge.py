"""The bridge and its error, on Gaussians whose integral is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rheojobs.inference.sampling.importance.bridge import bridged

pytestmark = pytest.mark.promise("right-or-refused")

LOG_INTEGRAL = 3.0


def chains(random: np.random.Generator, memory: float, shape: tuple[int, int]) -> np.ndarray:
    """Draw autoregressive chains of a unit Gaussian."""
    out = np.empty(shape)
    out[:, 0] = random.standard_normal(shape[0])
    steps = math.sqrt(1.0 - memory**2) * random.standard_normal(shape)
    for k in range(1, shape[1]):
        out[:, k] = memory * out[:, k - 1] + steps[:, k]
    return out


def log_ratio(values: np.ndarray) -> np.ndarray:
    """q / g for a q that integrates to exp(3) and a wider, shifted proposal g."""
    return LOG_INTEGRAL + stats.norm.logpdf(values) - stats.norm.logpdf(values, 0.3, 1.5)


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_error_is_that_of_many_repetitions(memory):
    found = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        drawn = chains(random, memory, (4, 500))
        proposed = random.normal(0.3, 1.5, 2000)
        inside = np.ones(drawn.shape, dtype=bool)
        found.append(bridged(log_ratio(drawn), inside, log_ratio(proposed)))
    logs, errors = np.array(found).T
    deviations = (logs - LOG_INTEGRAL) / errors
    # Of 200 values: a mean within four of its standard errors, and a spread within a fifth.
    assert abs(deviations.mean()) < 4 / math.sqrt(200)
    assert 0.8 < deviations.std() < 1.2


def test_of_a_part_only_the_part_is_integrated():
    """The upper half of a Gaussian, of whose draws the others are left out."""
    random = np.random.default_rng(1)
    drawn, proposed = random.standard_normal((4, 2000)), random.normal(0.3, 1.5, 8000)
    at_proposals = np.where(proposed > 0, log_ratio(proposed), -np.inf)
    log, error = bridged(log_ratio(drawn), drawn > 0, at_proposals)
    assert abs(log - (LOG_INTEGRAL - math.log(2.0))) < 4 * error
    assert error < 0.03


def test_chains_that_do_not_visit_a_part_say_nothing_of_it():
    random = np.random.default_rng(2)
    drawn, proposed = np.abs(random.standard_normal((4, 2000))), random.normal(0.3, 1.5, 8000)
    drawn[2:] *= -1.0  # two chains stuck in each half
    at_proposals = np.where(proposed > 0, log_ratio(proposed), -np.inf)
    log, error = bridged(log_ratio(drawn), drawn > 0, at_proposals)
    assert abs(log - (LOG_INTEGRAL - math.log(2.0))) < 4 * error


def test_the_error_of_a_chain_that_does_not_move_is_not_known():
    random = np.random.default_rng(3)
    drawn = random.standard_normal((2, 100))
    drawn[0] = 0.1
    inside = np.ones(drawn.shape, dtype=bool)
    log, error = bridged(log_ratio(drawn), inside, log_ratio(random.normal(0.3, 1.5, 200)))
    assert math.isfinite(log)
    assert math.isnan(error)
