"""Each thing that is wrong with draws is said, in words of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rheojobs.inference.results import diagnostics
from rheojobs.inference.results.concerns import concerns
from rheojobs.inference.results.thresholds import Verdict, verdict

pytestmark = pytest.mark.promise("right-or-refused")


def clean(**changes: object) -> dict[str, object]:
    good = {"a": 1000.0, "sigma": 1000.0}
    report = {"divergences": 0, "r_hat": {"a": 1.0, "sigma": 1.0}, "ess_bulk": good}
    return report | {"ess_tail": good, "bfmi": [0.9, 1.1]} | changes


UNKNOWN = {"a": math.nan, "sigma": 900.0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"noise_ratio": {"sigma": 40.2}}, "sigma is 40 times the residuals at the start"),
        ({"noise_ratio": {"sigma": 3e9}}, "sigma is 3e+09 times"),
        ({"noise_share": {"sigma": 1.1}}, "as large as the data"),
        ({"outside": {"a": 0.5}}, "50 % of the draws of a lie outside"),
        ({"at_bounds": {"a": "lower bound, 1e-06"}}, "of a lies at its lower bound, 1e-06"),
        ({"undetermined": ["a", "b"]}, "the data do not determine a, b, whose draws are those"),
        ({"stuck": 1}, "one chain never moved"),
        ({"stuck": 3, "ess_bulk": dict.fromkeys(("a", "sigma"), math.nan)}, "3 chains never moved"),
        ({"still": ["a"], "ess_bulk": UNKNOWN}, "a did not move in one of the chains"),
        ({"not_finite": ["a"], "ess_tail": UNKNOWN}, "draws of a are not finite"),
        ({"cut_short": 41}, "41 of 4000 draws had the longest trajectory"),
        ({"divergences": 1}, "1 of 4000 draws diverged"),
        ({"divergences": 79}, "79 of 4000 draws diverged"),
        ({"bfmi": [0.9, 0.1]}, "the energy of one chain changes slowly"),
        ({"bfmi": [0.29, 0.1]}, "of 2 chains changes slowly from draw to draw (E-BFMI 0.1, 0.3"),
        ({"r_hat": {"a": math.nan, "sigma": math.nan}}, "one chain cannot show"),
        ({"r_hat": {"a": 1.02, "sigma": 1.0}}, "the chains disagree on a "),
        ({"r_hat": {"a": 3.0, "sigma": 1.0}, "modes": 2}, "2 separate maxima of the posterior"),
        ({"ess_tail": {"a": 20.0, "sigma": 900.0}}, "few independent draws of a (20, 400"),
        ({"ess_tail": UNKNOWN}, "too few for diagnostics"),
    ],
)
def test_each_concern_has_its_words(changes, words):
    assert concerns(clean(), 4000) == []
    (said,) = concerns(clean(**changes), 4000)
    assert words in said
    assert "\n" not in said


def test_little_of_a_thing_is_no_concern():
    little = {"noise_ratio": {"sigma": 2.0}, "noise_share": {"sigma": 0.5}, "cut_short": 40}
    assert concerns(clean(**little, bfmi=[0.31], modes=2), 4000) == []


def test_divergences_and_slow_energy_are_both_said():
    """79 divergences in 8,000 draws and a BFMI of 0.1 in all chains once gave no warning."""
    said = concerns(clean(divergences=79, bfmi=[0.1] * 4), 8000)
    assert len(said) == 2


def test_what_cannot_be_told_is_not_good():
    row = {"ess_bulk": 500.0, "ess_tail": 500.0, "r_hat": 1.0}
    assert diagnostics.is_good({"a": row}, 400)
    assert diagnostics.is_good({"a": row | {"r_hat": math.nan}}, 400)  # a single chain
    for key in ("ess_bulk", "ess_tail"):
        assert not diagnostics.is_good({"a": row | {key: math.nan}}, 400)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, Verdict.GOOD),
        ({"r_hat": math.nan}, Verdict.ONE_CHAIN),
        ({"r_hat": 1.02, "ess_bulk": 20.0}, Verdict.APART),
        ({"r_hat": math.inf}, Verdict.APART),
        ({"ess_tail": 399.0}, Verdict.FEW),
        ({"ess_tail": math.nan, "r_hat": math.nan}, Verdict.UNKNOWN),
    ],
)
def test_each_row_has_a_verdict(changes, wanted):
    assert verdict({"ess_bulk": 500.0, "ess_tail": 500.0, "r_hat": 1.0} | changes) is wanted


@pytest.mark.parametrize("place", [0.0, 3.0])
@pytest.mark.parametrize("size", [1.0, 1e-17])
def test_a_stuck_chain_is_never_good(place, size):
    """ArviZ gives the draws of a parameter that is constant an ESS of their number."""
    draws = size * np.random.default_rng(0).normal(size=(4, 1000))
    assert diagnostics.is_good(diagnostics.summarize({"a": draws}), 400)
    one = draws.copy()
    one[2] = place * size
    for stuck in (one, np.full_like(draws, place)):
        row = diagnostics.summarize({"a": stuck})["a"]
        assert all(math.isnan(row[key]) for key in ("ess_bulk", "ess_tail", "r_hat", "mcse_mean"))
        assert not diagnostics.is_good({"a": row}, 1)
        assert diagnostics.still({"a": stuck, "b": draws}) == ["a"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_draw_that_is_not_finite_is_never_good(value):
    draws = np.random.default_rng(0).normal(size=(2, 4, 1000))
    draws[0, 1, 77] = value
    rows = diagnostics.summarize({"a": draws[0], "b": draws[1]})
    assert all(math.isnan(rows["a"][key]) for key in ("ess_bulk", "ess_tail", "r_hat"))
    assert rows["b"]["ess_bulk"] > 3000  # of the other parameters all is known
    assert not diagnostics.is_good(rows, 1)
    assert diagnostics.not_finite({"a": draws[0], "b": draws[1]}) == ["a"]


def test_chains_that_never_moved_are_counted():
    moving = np.random.default_rng(0).normal(size=(3, 50))
    still = moving.copy()
    still[1] = 2.0
    assert diagnostics.stuck_chains({"a": still, "b": still}) == 1
    assert diagnostics.stuck_chains({"a": still, "b": moving}) == 0
    assert diagnostics.stuck_chains({"a": still[:, :1]}) == 0
