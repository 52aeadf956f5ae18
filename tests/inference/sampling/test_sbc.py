"""Calibration by simulation: parameters drawn from the prior rank uniformly among their posterior.

Each simulation draws parameters from the very priors of the sampling, makes data with them, and
samples the posterior of these data. If priors, likelihood, transforms and sampler are all right,
the rank of what was drawn among the posterior's draws is uniform (Talts et al., arXiv:1804.06788).
Data-dependent priors would break that, so the noise has a given prior where its default has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.inference.helpers import decay

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.sample import sample

pytestmark = pytest.mark.promise("right-or-refused")

SIMULATIONS = 320
THINNED = 31
"""Draws that a rank is counted among, of which there are ten times as many: nearly independent."""

BINS = 16
COUNTS = {"num_warmup": 200, "num_samples": 10 * THINNED, "num_chains": 1, "checkpoint": ""}
LEAST_CHANCE = 0.003
"""A p-value below it is a failure; of seven parameters one has it by chance in 50 seeds."""


@dataclass(frozen=True)
class Case:
    """A model with priors, and how its data scatter.

    Attributes
    ----------
    model : str or Model
    x : ndarray, shape (n,)
    test_mode, likelihood : str
    priors : mapping
    curve : callable
        ``(x, values) -> y`` without noise, written apart from the model.
    """

    model: str | Model
    x: np.ndarray
    test_mode: str
    likelihood: str
    priors: dict[str, Any]
    curve: Callable[[np.ndarray, dict[str, float]], np.ndarray]


def maxwell(omega: np.ndarray, values: dict[str, float]) -> np.ndarray:
    """Maxwell's complex modulus."""
    z = 1j * omega * values["tau"]
    return values["G0"] * z / (1 + z)


CASES = {
    "decay": Case(
        Model.from_function(
            decay, {"G0": (1e3, 5e4), "tau": (0.2, 5.0)}, test_modes="relaxation", name="sbc_decay"
        ),
        np.linspace(0.05, 5.0, 20),
        "relaxation",
        "constant",
        {"sigma": {"type": "exponential", "rate": 1 / 500}},
        lambda x, values: values["G0"] * np.exp(-x / values["tau"]),
    ),
    "maxwell": Case(
        "maxwell",
        np.logspace(-2, 2, 12),
        "oscillation",
        "relative",  # whose noise has a prior that no data enter
        {
            "G0": {"type": "lognormal", "loc": 10.0, "scale": 1.0},
            "tau": {"type": "lognormal", "loc": 0.0, "scale": 1.0},
        },
        maxwell,
    ),
}


def simulate(case: Case, truth: dict[str, float], generator: np.random.Generator) -> Dataset:
    """Make data of known parameters and noise."""
    exact = case.curve(case.x, truth)

    def noisy(part: np.ndarray, sigma: float) -> np.ndarray:
        size = np.abs(part) if case.likelihood == "relative" else 1.0
        return part + sigma * size * generator.standard_normal(part.size)

    if np.iscomplexobj(exact):
        real, imag = (
            noisy(exact.real, truth["sigma_real"]),
            noisy(exact.imag, truth["sigma_imag"]),
        )
        return Dataset(case.x, real + 1j * imag, case.test_mode)
    return Dataset(case.x, noisy(exact, truth["sigma"]), case.test_mode)


def ranks(case: Case, count: int, noise_factor: float = 1.0) -> dict[str, np.ndarray]:
    """Give each site's ranks among `THINNED` draws, shape (count,)."""
    generator = np.random.default_rng(20)
    anything = {"G0": 1e4, "tau": 1.0, "sigma": 1.0, "sigma_real": 0.1, "sigma_imag": 0.1}
    problem = Problem.of(case.model, simulate(case, anything, generator), None)
    posterior = Posterior.of(problem, case.priors, {}, case.likelihood, default_priors="rheojax")
    drawn = posterior.draw(count, np.random.default_rng(7))
    found = {name: np.empty(count, dtype=int) for name in posterior.sites}
    for k in range(count):
        truth = {name: float(drawn[name][k]) for name in posterior.sites}
        noise = {name: truth[name] * noise_factor for name in truth if name.startswith("sigma")}
        result = sample(
            simulate(case, truth | noise, generator),
            case.model,
            priors=case.priors,
            likelihood=case.likelihood,
            default_priors="rheojax",
            # The truth is itself a draw of the posterior, so it is the fairest of all starts.
            warm_start={"G0": truth["G0"], "tau": truth["tau"]},
            seed=k,
            **COUNTS,
        )
        for name in found:
            kept = result.posterior_samples[name][9::10]
            found[name][k] = np.sum(kept < truth[name])
    return found


def chance(found: np.ndarray) -> float:
    """Give the p-value of a chi-square test of ranks against uniform ones."""
    counts = np.bincount(found * BINS // (THINNED + 1), minlength=BINS)
    return float(stats.chisquare(counts).pvalue)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform(name):
    found = ranks(CASES[name], SIMULATIONS)
    chances = {site: chance(values) for site, values in found.items()}
    assert len(chances) == {"decay": 3, "maxwell": 4}[name]
    assert min(chances.values()) > LEAST_CHANCE, chances


@pytest.mark.slow
def test_noise_that_is_not_as_assumed_shows():
    """With half as much noise again as the model believes, its ranks are far from uniform."""
    found = ranks(CASES["decay"], SIMULATIONS // 2, noise_factor=1.5)
    assert chance(found["sigma"]) < LEAST_CHANCE / 100


def test_the_ranks_of_a_posterior_too_narrow_are_refused():
    generator = np.random.default_rng(0)
    truth = generator.standard_normal(SIMULATIONS)[:, None]
    honest, narrow = (
        np.sum(scale * generator.standard_normal((SIMULATIONS, THINNED)) < truth, axis=1)
        for scale in (1.0, 0.7)
    )
    assert chance(honest) > LEAST_CHANCE
    assert chance(narrow) < LEAST_CHANCE
