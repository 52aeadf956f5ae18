"""A posterior at its bounds is said, and one within them is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.inference.helpers import decay

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.concerns import concerns
from rheojobs.inference.results.diagnostics import QUANTILES, summarize
from rheojobs.inference.sampling import posterior_checks
from rheojobs.inference.sampling.sample import sample

pytestmark = pytest.mark.promise("right-or-refused")

T = np.linspace(0.05, 5.0, 40)
DATA = Dataset(T, 2e4 * np.exp(-T / 1.5), "relaxation")
ROW = dict.fromkeys(QUANTILES, 1.0)


def model(tau: tuple[float, float]) -> Model:
    bounds = {"G0": (1e3, 1e5, 2e4), "tau": (*tau, tau[1])}
    return Model.from_function(decay, bounds, "relaxation", name=f"decay_{tau}")


def told(quantile: object, ends: tuple[float, float] = (0.1, 10.0), **priors: object) -> str:
    """Give the words for a posterior of tau with these quantiles; empty if there are none."""
    posterior = Posterior.of(Problem.of(model(ends), DATA, None), priors, {"G0": 2e4, "tau": 1.0})
    rows = {name: ROW | {"q05": 1e4, "q95": 2e4} for name in posterior.sites}
    rows["tau"] = {name: float(quantile(share)) for name, share in QUANTILES.items()}
    return posterior_checks.at_bounds(posterior, rows).get("tau", "")


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        (stats.norm(5.0, 0.5), ""),
        (stats.truncnorm(-2.0, 9.0, 0.1 + 0.4, 0.2), ""),  # two deviations from the bound
        (stats.truncnorm(0.0, 9.0, 0.1, 0.2), "lower bound, 0.1"),
        (stats.truncnorm(-9.0, 0.0, 10.0, 0.2), "upper bound, 10"),
        (stats.expon(0.1, 1e-9), "lower bound, 0.1"),
        (stats.uniform(0.1, 1.0), "lower bound, 0.1"),  # the data give an upper limit only
        (stats.uniform(0.1, 9.9), ""),  # the prior itself: nothing is determined
    ],
)
def test_what_lies_at_a_bound_is_said(distribution, words):
    assert told(distribution.ppf) == words


def test_bounds_that_span_decades_are_judged_by_the_logarithm():
    at = stats.loguniform(1e-3, 1e-1)
    assert told(at.ppf, (1e-3, 1e3)) == "lower bound, 0.001"
    assert told(stats.lognorm(0.3, scale=0.1).ppf, (1e-3, 1e3)) == ""
    # In tau itself this would lie at the lower bound.
    assert told(stats.lognorm(0.3, scale=0.01).ppf, (1e-3, 1e3)) == ""


def test_a_given_uniform_prior_has_bounds_too_and_another_has_none():
    at = stats.truncnorm(0.0, 9.0, 2.0, 0.1)
    assert told(at.ppf, tau={"type": "uniform", "low": 2.0, "high": 4.0}) == "lower bound, 2"
    assert told(stats.expon(0, 1e-3).ppf, tau={"type": "exponential", "rate": 1.0}) == ""


def test_a_sampling_says_so():
    """The time of these data, 1.5 s, is beyond the bounds."""
    random = np.random.default_rng(0)
    data = Dataset(T, DATA.y + 300.0 * random.standard_normal(T.size), "relaxation")
    few = {"num_warmup": 200, "num_samples": 200, "num_chains": 2, "checkpoint": ""}
    drawn = sample(data, model((0.1, 1.45)), **few)
    assert any(
        "the posterior of tau lies at its upper bound, 1.45" in words
        for words in drawn.diagnostics["warnings"]
    )
    within = sample(data, model((0.1, 10.0)), **few)
    assert not any("bound" in words for words in within.diagnostics["warnings"])


def test_a_stuck_chain_is_said_once():
    draws = {"a": np.random.default_rng(0).normal(size=(4, 500))}
    draws["a"][1] = 0.3
    rows = summarize(draws)
    report = {key: {"a": rows["a"][key]} for key in ("r_hat", "ess_bulk", "ess_tail")}
    assert len(concerns(report | {"divergences": 0, "stuck": 1, "still": ["a"]}, 2000)) == 1
