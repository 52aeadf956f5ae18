"""R-hat and effective sample size are ArviZ's own, whatever the draws, if all chains move."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.inference.results.convergence import TAIL, Convergence
from rheojobs.inference.results.diagnostics import SUMMARIZED_AT_ONCE, credible_intervals, summarize

pytestmark = pytest.mark.promise("right-or-refused")

AXES = {"chain_axis": 1, "draw_axis": 2}


def autoregressive(seed: int, shape: tuple[int, int, int], correlation: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    draws = noise.copy()
    for step in range(1, shape[2]):
        draws[..., step] = correlation * draws[..., step - 1] + noise[..., step]
    return draws


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(4, 90)),
    correlation=st.floats(-0.95, 0.99),
    rounded=st.sampled_from([None, 0, 1]),
    repeats=st.booleans(),
    apart=st.floats(0.0, 3.0),
)
def test_they_are_those_of_arviz(seed, shape, correlation, rounded, repeats, apart):
    draws = autoregressive(seed, shape, correlation)
    draws += apart * np.arange(shape[1])[:, None]
    if repeats:  # as rejected proposals leave them
        draws[:, :, 1::3] = draws[:, :, 0::3][:, :, : draws[:, :, 1::3].shape[2]]
    if rounded is not None:
        draws = np.round(draws, rounded)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = Convergence(draws)
        expected = {
            "ess_bulk": array_stats.ess(draws, method="bulk", **AXES),
            "ess_tail": array_stats.ess(draws, method="tail", prob=(1 - TAIL, TAIL), **AXES),
            "ess_mean": array_stats.ess(draws, method="mean", **AXES),
            "r_hat": array_stats.rhat(draws, **AXES) if shape[1] > 1 else np.full(shape[0], np.nan),
        }
    moves = (np.ptp(draws, axis=2) > 0).all(axis=1)
    for name, values in expected.items():
        ours, theirs = getattr(found, name), np.ravel(values)
        assert np.isnan(ours[~moves]).all()
        # Where all of a quantity is equal ArviZ gives the number of draws.
        told = ~np.isnan(ours) if name.startswith("ess") else moves
        assert ours[told] == pytest.approx(theirs[told], rel=1e-7, nan_ok=True), name
        assert (theirs[moves & ~told] == shape[1] * 2 * (shape[2] // 2)).all() or (
            name == "ess_tail"
        )


def test_of_many_draws_that_move_all_is_known():
    found = Convergence(autoregressive(3, (5, 4, 100), 0.9))
    for name in ("ess_bulk", "ess_tail", "ess_mean", "r_hat"):
        assert np.isfinite(getattr(found, name)).all()


def test_the_tails_are_the_outer_twentieths():
    """The rule that 400 are enough is of the 5 % and 95 % quantiles (Vehtari et al. 2021)."""
    draws = autoregressive(4, (1, 4, 500), 0.8)
    low, high = np.quantile(draws, [0.05, 0.95])
    tails = [array_stats.ess((draws <= end) * 1.0, method="mean", **AXES) for end in (low, high)]
    assert Convergence(draws).ess_tail == pytest.approx(np.min(tails), rel=1e-9)


@pytest.mark.parametrize("count", [1, 2, 7, 400])
def test_intervals_are_those_of_arviz(count):
    draws = np.random.default_rng(count).gamma(2.0, size=(4, count))
    low, high = np.ravel(array_stats.hdi(draws.ravel(), prob=0.95, axis=-1))
    assert credible_intervals({"x": draws})["x"] == (low, high)


def test_a_long_summary_can_be_cancelled_in_the_middle_and_is_the_same_in_parts():
    count = SUMMARIZED_AT_ONCE // 4  # as many as one part holds, of each parameter
    rows = autoregressive(1, (3, 4, count), 0.5)
    draws = {f"p{number}": row for number, row in enumerate(rows)}
    token, checks = CancellationToken(), []

    def check() -> None:
        checks.append(None)
        if len(checks) == 2:
            token.cancel()
        token.check()

    with pytest.raises(CancellationError):
        summarize(draws, check)
    assert len(checks) == 2
    alone = {name: summarize({name: values})[name] for name, values in draws.items()}
    assert summarize(draws) == alone
