"""Chains begin where they can disagree: overdispersed, or in maxima that are apart."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from tests.inference.helpers import decay_data, decay_model, run_until, same_draws

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling import starts
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.starts import find_starts, start_values
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.inference.sampling.warmup.whitening import Geometry, climb

pytestmark = pytest.mark.promise("right-or-refused")

SIGMA = 0.05
X = np.linspace(0.1, 2.0, 30)
LIMITS = (-3.0, 3.0)
FEW = {"num_warmup": 100, "num_samples": 200, "num_chains": 4, "checkpoint": ""}


def slope(p):
    return p**2 + 0.02 * p


def two_slopes() -> Model:
    """One slope by two values of p, of which the data cannot choose."""
    return Model.from_function(
        lambda x, p: slope(p[0]) * x, {"p": (*LIMITS, 1.0)}, "relaxation", name="two_slopes"
    )


def two_data() -> Dataset:
    y = X + SIGMA * np.random.default_rng(3).standard_normal(X.size)
    return Dataset(X, y, "relaxation", sigma=np.full(X.size, SIGMA))


def masses(data: Dataset, **normal: float) -> tuple[float, float]:
    """The probabilities of both signs by quadrature, of a uniform prior times a given normal."""

    p = np.linspace(*LIMITS, 200_001)  # a fiftieth of a standard deviation apart
    log = sum(-0.5 * ((y - slope(p) * x) / SIGMA) ** 2 for x, y in zip(data.x, data.y, strict=True))
    if normal:
        log = log - 0.5 * ((p - normal["loc"]) / normal["scale"]) ** 2
    density = np.exp(log - log.max())
    below = float(density[p < 0].sum() / density.sum())
    return below, 1.0 - below


def starts_of(data: Dataset, model: Model, **priors: object):
    problem = Problem.of(model, data, None)
    values = start_values(problem, {"p": 1.0}, {})
    posterior = Posterior.of(problem, priors, values)
    return find_starts(posterior, values, [], 4, 0, lambda: None)


@pytest.mark.parametrize("prior", [{}, {"type": "normal", "loc": 1.0, "scale": 1.2}])
def test_two_maxima_are_found_with_their_probabilities(prior):
    data = two_data()
    priors = {"p": prior} if prior else {}
    found = starts_of(data, two_slopes(), **priors)
    assert found.report["modes"] == 2
    assert found.report["chains"] == [0, 1, 0, 1]
    exact = masses(data, **{key: value for key, value in prior.items() if key != "type"})
    assert found.report["shares"] == pytest.approx(exact[::-1], abs=0.02)
    centers = [float(geometry.center[0]) for geometry in found.geometries]
    assert centers[0] > 0 > centers[1]


def test_a_maximum_of_next_to_no_probability_is_none():
    data = two_data()
    prior = {"type": "normal", "loc": 1.0, "scale": 0.3}
    assert masses(data, loc=1.0, scale=0.3)[0] < 1e-3
    assert starts_of(data, two_slopes(), p=prior).report["modes"] == 1
    # Nor does it hold chains that begin there.
    problem = Problem.of(two_slopes(), data, None)
    posterior = Posterior.of(problem, {"p": prior}, {"p": -1.0})
    found = find_starts(posterior, {"p": -1.0}, [], 4, 0, lambda: None)
    assert float(found.geometries[0].center[0]) > 0
    assert "that of the given start holds next to nothing" in found.report["words"]


def test_chains_in_two_maxima_disagree_and_it_is_said():
    drawn = sample(two_data(), two_slopes(), **FEW)
    p = drawn.posterior_samples["p"].reshape(4, -1)
    assert ((p > 0).all(axis=1) == [True, False, True, False]).all()
    assert drawn.summary["p"]["r_hat"] > 1.5
    assert any("2 separate maxima" in words for words in drawn.diagnostics["warnings"])
    # Within each, the draws are right.
    for chain, sign in ((0, 1), (1, -1)):
        assert p[chain].mean() == pytest.approx(sign - 0.01, abs=0.02)


def test_stopped_and_resumed_each_chain_keeps_its_coordinates(tmp_path):
    whole = sample(two_data(), two_slopes(), **FEW)
    work = SampleTask(two_slopes(), two_data(), **FEW | {"checkpoint": str(tmp_path / "kept")})
    run_until(work, lambda p: sum(p.metrics.get("chains", [0])) > 500)
    again = sample(two_data(), two_slopes(), **FEW | {"checkpoint": str(tmp_path / "kept")})
    assert same_draws(again, whole)
    assert again.diagnostics["starts"] == whole.diagnostics["starts"]


def test_one_maximum_is_one_and_chains_begin_overdispersed():
    drawn = sample(decay_data(), decay_model(), **FEW | {"num_warmup": 0, "num_samples": 1})
    assert drawn.diagnostics["modes"] == 1
    assert drawn.diagnostics["starts"]["searches"] > 4
    words = drawn.diagnostics["starts"]["words"]
    assert words.startswith("up to 2 standard deviations about the maximum of the posterior")


def test_whitened_undoes_unconstrained(polyisoprene):
    """Also in coordinates that follow a bent ridge."""
    problem = Problem.of("fractional_maxwell_liquid", polyisoprene, None)
    values = start_values(problem, {}, {})
    posterior = Posterior.of(problem, {}, values, "constant", default_priors="rheojax")
    noise = {"sigma_real": 1e5, "sigma_imag": 8e4}
    start = posterior.unconstrain(posterior.site_values(values, noise))
    geometry = Geometry.at(climb(posterior, start, lambda: None), posterior, lambda: None)
    assert geometry.is_round
    for w in np.random.default_rng(0).normal(size=(5, start.size)):
        z = np.asarray(geometry.unconstrained(w))
        assert geometry.whitened(z) == pytest.approx(w, abs=1e-8)


def test_equal_terms_are_no_separate_maxima():
    """Two exponentials can be exchanged: that is one maximum, not two."""
    t = np.geomspace(0.01, 50.0, 40)
    rng = np.random.default_rng(2)
    y = (2.0 * np.exp(-t / 0.1) + np.exp(-t / 5.0)) * np.exp(0.03 * rng.standard_normal(40))
    names = ("G_1", "G_2", "tau_1", "tau_2")

    def both(x, p):
        return p[0] * jnp.exp(-x / p[2]) + p[1] * jnp.exp(-x / p[3])

    found = []
    for modes in ((("tau_1", "G_1"), ("tau_2", "G_2")), ()):
        limits = dict.fromkeys(names, (1e-3, 1e3))
        model = Model.from_function(both, limits, "relaxation", name="both", modes=modes)
        problem = Problem.of(model, Dataset(t, y, "relaxation"), None)
        values = {"G_1": 1.0, "G_2": 2.0, "tau_1": 5.0, "tau_2": 0.1}
        posterior = Posterior.of(problem, {}, values)
        found.append(find_starts(posterior, values, [], 4, 0, lambda: None).report["modes"])
    assert found == [1, 2]


def test_further_places_are_searched_from(monkeypatch):
    """Such as a fit's other minima: here of a model of which every 2 pi is one."""
    for name in ("_plausible", "_of_priors"):
        monkeypatch.setattr(starts, name, lambda *given: [])
    combs = Model.from_function(
        lambda x, p: x * (1.0 + 0.5 * jnp.cos(p[0])), {"p": (-40.0, 40.0, 1.0)}, "relaxation"
    )
    data = Dataset(X, 1.2 * X, "relaxation", sigma=np.full(X.size, SIGMA))
    problem = Problem.of(combs, data, None)
    posterior = Posterior.of(problem, {}, {"p": 1.0})
    others = [{"p": 1.0 + 2 * math.pi}, {"p": 1.3}]  # the other is the first one again
    found = find_starts(posterior, {"p": 1.0}, others, 4, 0, lambda: None)
    assert found.report["modes"] == 2
    assert found.report["searches"] == 3


def test_a_climb_that_does_not_arrive_begins_again_from_a_fit():
    """Data that fall by 26 decades, under noise that is a fraction of them.

    From the estimate, and from all other places, the climb ends by its limit of steps, or in a
    maximum in which the noise explains the data.
    """
    rng = np.random.default_rng(0)
    modulus, viscosity = 10 ** rng.uniform(2, 6), 10 ** rng.uniform(2, 7)
    t = np.geomspace(1e-3, 60.0, 60) * viscosity / modulus
    y = modulus * np.exp(-t * modulus / viscosity) * (1 + 0.03 * rng.standard_normal(60))
    settings = {"num_warmup": 300, "num_samples": 300, "num_chains": 2, "checkpoint": ""}
    result = sample(Dataset(t, y, "relaxation"), "maxwell", likelihood="relative", **settings)
    for name, truth in (("G0", modulus), ("eta", viscosity)):
        row = result.summary[name]
        assert abs(row["mean"] - truth) < 4 * row["std"], name
        assert row["std"] < 0.02 * truth
    assert result.summary["sigma"]["mean"] == pytest.approx(0.03, rel=0.3)
    assert result.diagnostics["starts"].get("arrived", True)


def test_that_no_maximum_was_found_is_said(monkeypatch):
    monkeypatch.setattr(starts, "_has_arrived", lambda _: False)
    settings = {"num_warmup": 100, "num_samples": 100, "num_chains": 2, "checkpoint": "", "seed": 0}
    result = sample(decay_data(), decay_model(), **settings)
    assert result.diagnostics["starts"]["arrived"] is False
    (words,) = [
        words for words in result.diagnostics["warnings"] if "no maximum of the posterior" in words
    ]
    assert "give start values" in words
