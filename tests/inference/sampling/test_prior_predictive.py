"""Prior predictive checks: the priors of a sampling, drawn from; plain words where they are off."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats
from tests.inference.helpers import decay, decay_data, decay_model

import rheojobs
from rheojobs.errors import InputError
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.prior_predictive import prior_concerns, prior_predictive

GIVEN = {
    "G0": {"type": "lognormal", "loc": 10.0, "scale": 0.5},
    "tau": {"type": "normal", "loc": 1.5, "scale": 0.1},
}


def drawn(tree, name: str) -> np.ndarray:
    return np.asarray(tree["prior"][name]).ravel()


def chance(draws: np.ndarray, prior: object) -> float:
    """The p-value of a Kolmogorov-Smirnov test of draws against a NumPyro distribution."""
    return float(stats.kstest(draws, lambda value: np.asarray(prior.cdf(value))).pvalue)


@pytest.mark.parametrize("default_priors", ["logarithmic", "rheojax"])
def test_draws_follow_the_priors_of_a_sampling(default_priors):
    data, model = decay_data(), decay_model()
    settings = {"default_priors": default_priors, "priors": {"tau": GIVEN["tau"]}}
    tree = prior_predictive(data, model, num_samples=2000, **settings)
    problem = Problem.of(model, data, None)
    used = Posterior.of(problem, settings["priors"], {}, default_priors=default_priors)
    assert set(tree["prior"].data_vars) == set(used.sites) == {"G0", "tau", "sigma"}
    for name, prior in zip(used.sites, used.priors, strict=True):
        assert chance(drawn(tree, name), prior.distribution()) > 0.01, name
    wrong = dist.Normal(1.5, 0.12)  # the test sees a scale that is off by a fifth
    assert chance(drawn(tree, "tau"), wrong) < 0.01


def test_the_priors_told_are_those_of_the_result():
    told = prior_predictive(decay_data(), decay_model(), priors=GIVEN).attrs["priors"]
    few = {"num_warmup": 20, "num_samples": 5, "num_chains": 1, "checkpoint": ""}
    result = rheojobs.sample(decay_data(), decay_model(), priors=GIVEN, **few)
    assert told == [f"{name}: {words}" for name, words in result.diagnostics["priors"].items()]


def test_predictions_are_those_of_the_draws():
    data = decay_data()
    tree = prior_predictive(data, decay_model(), priors=GIVEN, num_samples=1000)
    G0, tau, sigma = (drawn(tree, name)[:, None] for name in ("G0", "tau", "sigma"))
    made = np.asarray(tree["prior_predictive"]["y"])[0]
    assert made.shape == (1000, len(data))
    noise = (made - G0 * np.exp(-data.x / tau)) / sigma
    assert stats.kstest(noise.ravel()[::40], stats.norm.cdf).pvalue > 0.01


def test_relative_noise_with_outliers_is_drawn_too():
    data = decay_data()
    priors = {**GIVEN, "sigma": {"type": "lognormal", "loc": -3.0, "scale": 0.1}}
    tree = prior_predictive(
        data, decay_model(), priors=priors, likelihood="relative_student_t", num_samples=1000
    )
    G0, tau, sigma = (drawn(tree, name)[:, None] for name in ("G0", "tau", "sigma"))
    exact = G0 * np.exp(-data.x / tau)
    noise = (np.asarray(tree["prior_predictive"]["y"])[0] / exact - 1) / sigma
    assert stats.kstest(noise.ravel()[::40], stats.t(4).cdf).pvalue > 0.01


def test_the_same_seed_gives_the_same_draws():
    one, same, other = (
        prior_predictive(decay_data(), decay_model(), num_samples=50, seed=seed)
        for seed in (3, 3, 4)
    )
    assert one["prior"].to_dataset().equals(same["prior"].to_dataset())
    assert one["prior_predictive"].to_dataset().equals(same["prior_predictive"].to_dataset())
    assert not np.array_equal(drawn(one, "tau"), drawn(other, "tau"))


def test_arviz_takes_the_tree(tmp_path, melt_data):
    import arviz

    prior = {"tau": {"type": "lognormal", "loc": 0.0, "scale": 2.0}}
    tree = prior_predictive(melt_data, "maxwell", priors=prior, num_samples=100)
    tree.to_netcdf(tmp_path / "prior.nc")
    again = arviz.from_netcdf(tmp_path / "prior.nc")
    assert set(again.children) == {"prior", "prior_predictive", "observed_data", "constant_data"}
    assert set(again["prior_predictive"].data_vars) == {"storage_modulus", "loss_modulus"}
    np.testing.assert_allclose(again["observed_data"]["storage_modulus"], melt_data.y.real)
    np.testing.assert_allclose(again["constant_data"]["x"], melt_data.x)
    G0, eta, tau = (drawn(again, name) for name in ("G0", "eta", "tau"))
    np.testing.assert_allclose(eta, tau * G0)  # the alternative's prior, told in both
    summary = arviz.summary(again, group="prior", kind="stats", round_to="none")
    assert summary.loc["tau", "mean"] == pytest.approx(tau.mean())
    arviz.plot_ppc_dist(again, group="prior_predictive", num_samples=20)
    assert prior_concerns(again) == prior_concerns(tree)


def test_good_priors_give_no_concern():
    priors = {**GIVEN, "sigma": {"type": "halfnormal", "scale": 500.0}}
    assert prior_concerns(prior_predictive(decay_data(), decay_model(), priors=priors)) == []


def test_data_that_the_priors_do_not_allow_are_said():
    priors = GIVEN | {
        "G0": {"type": "normal", "loc": 100.0, "scale": 10.0},
        "sigma": {"type": "halfnormal", "scale": 100.0},
    }
    (words,) = prior_concerns(prior_predictive(decay_data(), decay_model(), priors=priors))
    assert "outside the central 95 %" in words
    assert "above it" in words


def test_priors_that_expect_another_world_are_said():
    """RheoJAX's bounds reach 1e9 Pa, so uniform priors expect data of that size."""
    tree = prior_predictive(decay_data(), decay_model(), default_priors="rheojax")
    (words,) = prior_concerns(tree)
    assert "outside the central" in words or "far from the data" in words


def partly(x, params):
    """Have no values where the time is short."""
    return jnp.where(params[1] < 1.5, jnp.nan, decay(x, params))


def test_draws_without_a_prediction_are_counted_and_said():
    model = Model.from_function(
        partly, {"G0": (1e4, 4e4), "tau": (1.0, 2.0, 1.8)}, test_modes="relaxation"
    )
    tree = prior_predictive(decay_data(), model, num_samples=400)
    without = drawn(tree, "tau") < 1.5
    assert tree.attrs["not_finite"] == without.sum()
    assert 100 < without.sum() < 300
    made = np.asarray(tree["prior_predictive"]["y"])[0]
    assert np.array_equal(np.isnan(made).any(axis=1), without)
    (words,) = prior_concerns(tree)
    share = 100 * without.sum() / without.size
    assert words == f"{share:.3g} % of the prior's draws give no finite prediction"


def test_too_few_draws_are_said():
    (words,) = prior_concerns(prior_predictive(decay_data(), decay_model(), num_samples=5))
    assert "too few" in words


def test_of_very_many_data_every_kth_draw_is_evaluated(monkeypatch):
    from rheojobs.inference.sampling import predicted_curves

    monkeypatch.setattr(predicted_curves, "MAX_POINTWISE_VALUES", 40 * 100)
    tree = prior_predictive(decay_data(), decay_model(), num_samples=350)
    assert tree["prior"].sizes["draw"] == 350
    assert list(tree["prior_predictive"]["draw"].values) == list(range(0, 350, 4))
    assert tree.attrs["evaluated"] == 88


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_samples": 0}, "num_samples must be at least 1"),
        ({"seed": -1}, "seed"),
        ({"likelihood": "relativ"}, "did you mean 'relative'"),
        ({"default_priors": "rheojaks"}, "did you mean 'rheojax'"),
        ({"priors": {"taus": {"type": "halfnormal", "scale": 1}}}, "no parameter 'taus'"),
        ({"priors": {"tau": {"type": "uniform", "low": 2, "high": 1}}}, "below high"),
        ({"priors": {"tau": {"type": "uniform", "low": -2, "high": -1}}}, "misses the bounds"),
        ({"priors": {"tau": dist.Poisson(3.0)}}, "continuous"),
        ({"warm_start": {"tau": -1.0}}, "outside its bounds"),
        ({"test_mode": "creeep"}, "creep"),
        (
            {"priors": {"tau": dist.ImproperUniform(dist.constraints.positive, (), ())}},
            "cannot be drawn from",
        ),
    ],
)
def test_bad_input_is_one_clear_line(change, words):
    with pytest.raises(InputError) as caught:
        prior_predictive(decay_data(), decay_model(), **change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_tree_is_refused():
    tree = prior_predictive(decay_data(), decay_model(), num_samples=30)
    del tree["prior_predictive"]
    with pytest.raises(InputError, match="no group 'prior_predictive'"):
        prior_concerns(tree)


def test_it_is_a_public_name():
    assert rheojobs.prior_predictive is prior_predictive
    assert rheojobs.prior_concerns is prior_concerns
