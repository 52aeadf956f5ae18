"""Sampling: NumPyro's posterior, the same draws however they come about, true progress."""

from __future__ import annotations

import itertools
import time

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from arviz_stats.base import array_stats
from numpyro.infer import MCMC, NUTS, init_to_value
from tests.inference.helpers import decay_data, decay_model

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling import chains
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.task import SampleTask


def decay(x, params):
    """Relax with one time."""
    return params[0] * jnp.exp(-x / params[1])


MODEL = Model.from_function(
    decay, {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}, test_modes="relaxation"
)
TIMES = np.linspace(0.05, 5.0, 40)
DATA = Dataset(
    TIMES,
    2e4 * np.exp(-TIMES / 1.5) + 300.0 * np.random.default_rng(0).standard_normal(40),
    "relaxation",
)
FEW = {"num_warmup": 200, "num_samples": 300, "num_chains": 2}


@pytest.fixture(scope="module")
def result() -> BayesianResult:
    return sample(DATA, MODEL, **FEW)


def test_result_has_all_fields_of_the_contract(result):
    assert result.model_name == "decay"
    assert result.num_samples == 300
    assert result.num_chains == 2
    assert result.num_warmup == 200
    assert set(result.posterior_samples) == {"G0", "tau", "sigma"}
    assert all(draws.shape == (600,) for draws in result.posterior_samples.values())
    assert set(result.summary["tau"]) >= {"mean", "std", "median", "q05", "q95", "r_hat"}
    assert set(result.diagnostics) >= {"r_hat", "ess_bulk", "ess_tail", "divergences", "bfmi"}
    assert len(result.diagnostics["bfmi"]) == 2
    assert result.sampling_time > 0
    assert result.timestamp.tzinfo is not None
    low, high = result.credible_intervals["tau"]
    assert low < result.summary["tau"]["mean"] < high
    assert not result.is_partial
    assert result.test_mode == "relaxation"
    assert 1.3 < result.summary["tau"]["mean"] < 1.7
    assert "Uniform" in result.diagnostics["priors"]["G0"]


def test_inference_data_is_arviz_own(result, tmp_path):
    import arviz

    result.save_netcdf(tmp_path / "posterior.nc")
    tree = arviz.from_netcdf(tmp_path / "posterior.nc")
    assert set(tree.children) >= {
        "posterior",
        "posterior_predictive",
        "log_likelihood",
        "sample_stats",
        "observed_data",
    }
    summary = arviz.summary(tree, round_to="none")
    for name, row in result.summary.items():
        assert row["mean"] == pytest.approx(summary.loc[name, "mean"])
        for key in ("ess_bulk", "r_hat", "mcse_mean"):
            assert row[key] == pytest.approx(summary.loc[name, key]), key
        # ArviZ's summary takes other tails than those of Vehtari et al. (2021).
        draws = np.asarray(tree["posterior"][name])[None]
        tail = array_stats.ess(draws, method="tail", prob=(0.05, 0.95), chain_axis=1, draw_axis=2)
        assert row["ess_tail"] == pytest.approx(float(np.ravel(tail)[0]))
    np.testing.assert_allclose(tree["observed_data"]["y"], DATA.y)
    loo = arviz.loo(tree)
    assert np.isfinite(loo.elpd)


def test_pointwise_log_likelihood_is_that_of_the_draws(result):
    posterior = result.inference_data["posterior"]
    G0, tau, sigma = (np.asarray(posterior[name])[1, 17] for name in ("G0", "tau", "sigma"))
    expected = dist.Normal(G0 * np.exp(-DATA.x / tau), sigma).log_prob(DATA.y)
    found = np.asarray(result.inference_data["log_likelihood"]["y"])[1, 17]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_posterior_is_that_of_numpyro(ps145):
    """Means within five Monte Carlo standard errors of NumPyro's MCMC of the same model."""

    def model(t, y):
        G0 = numpyro.sample("G0", dist.Uniform(1e-3, 1e9))
        eta = numpyro.sample("eta", dist.Uniform(1e-6, 1e12))
        scale = max(float(np.std(ps145.y)), 0.01 * float(np.mean(np.abs(ps145.y))), 1e-3)
        sigma = numpyro.sample("sigma", dist.Exponential(1 / scale))
        numpyro.sample("y", dist.Normal(G0 * jnp.exp(-t * G0 / eta), sigma), obs=y)

    best = fit(ps145, "maxwell")
    start = best.parameters | {"sigma": float(np.std(best.residuals))}
    kernel = NUTS(model, init_strategy=init_to_value(values=start), target_accept_prob=0.9)
    theirs = MCMC(kernel, num_warmup=1000, num_samples=2000, num_chains=4, progress_bar=False)
    theirs.run(jax.random.PRNGKey(3), ps145.x, ps145.y)
    ours = sample(
        ps145,
        "maxwell",
        num_warmup=500,
        num_samples=2000,
        warm_start=best.parameters,
        seed=7,
        default_priors="rheojax",
    )
    grouped = theirs.get_samples(group_by_chain=True)
    for name, row in ours.summary.items():
        draws = np.asarray(grouped[name])
        ess = float(numpyro.diagnostics.effective_sample_size(draws))
        error = np.hypot(row["mcse_mean"], draws.std() / np.sqrt(ess))
        assert abs(row["mean"] - draws.mean()) < 5 * error, name
        assert row["std"] == pytest.approx(draws.std(), rel=0.1), name


def test_same_seed_same_draws_for_every_chunk_length(result, monkeypatch):
    for seconds in (0.0, 1e-3, 10.0):
        monkeypatch.setattr(chains, "CHUNK_SECONDS", seconds)
        again = sample(DATA, MODEL, **FEW)
        for name, draws in result.posterior_samples.items():
            assert np.array_equal(draws, again.posterior_samples[name]), (name, seconds)


def test_same_draws_on_one_thread_as_on_many(result, monkeypatch):
    monkeypatch.setattr(chains, "processors", lambda: 1)
    alone = sample(DATA, MODEL, **FEW)
    for name, draws in result.posterior_samples.items():
        assert np.array_equal(draws, alone.posterior_samples[name])


def test_more_chains_do_not_change_the_first(result):
    more = sample(DATA, MODEL, **FEW | {"num_chains": 3})
    for name, draws in result.posterior_samples.items():
        assert np.array_equal(draws, more.posterior_samples[name][:600])


def test_another_seed_gives_other_draws(result):
    other = sample(DATA, MODEL, **FEW, seed=43)
    assert not np.array_equal(other.posterior_samples["tau"], result.posterior_samples["tau"])


def test_other_counts_data_and_settings_compile_nothing(compilations):
    sample(DATA, MODEL, **FEW)
    compilations.clear()
    shorter = Dataset(DATA.x[:35], DATA.y[:35], "relaxation")
    sample(
        shorter,
        MODEL,
        num_warmup=150,
        num_samples=250,
        num_chains=3,
        seed=9,
        target_accept=0.95,
        warm_start={"G0": 1.9e4, "tau": 1.4},
    )
    assert compilations == []


def test_progress_counts_each_chain_truly(monkeypatch):
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)  # one step a chunk
    reports: list[Progress] = []
    sample(DATA, MODEL, **FEW, callback=reports.append)
    staged = [report for report in reports if report.stage in ("warmup", "sampling")]
    assert list(dict.fromkeys(report.stage for report in staged)) == ["warmup", "sampling"]
    for before, after in itertools.pairwise(staged):
        assert all(
            a >= b for a, b in zip(after.metrics["chains"], before.metrics["chains"], strict=True)
        )
    assert staged[-1].metrics["chains"] == [500, 500]
    assert staged[-1].current == staged[-1].total == 600
    halfway = [r for r in staged if 0 < min(r.metrics["chains"]) < 500]
    assert len(halfway) > 3


def test_cancelling_keeps_what_was_drawn(monkeypatch):
    token = CancellationToken()
    partial: list[BayesianResult] = []
    cancelled_at = 0.0

    def stop(progress: Progress) -> None:
        nonlocal cancelled_at
        if progress.stage == "sampling" and progress.current > 100 and not token.is_cancelled():
            cancelled_at = time.perf_counter()
            token.cancel()

    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    task = SampleTask(MODEL, DATA, num_warmup=200, num_samples=100_000, num_chains=2)
    with pytest.raises(CancellationError), local_context(stop, token, partial.append) as context:
        task.run(context)
    assert time.perf_counter() - cancelled_at < 5.0
    (kept,) = partial
    assert kept.is_partial
    # As many as the chain that is behind has: of both together there were more than 100.
    assert 1 <= kept.num_samples < 100_000
    assert kept.posterior_samples["tau"].shape == (2 * kept.num_samples,)
    assert set(kept.diagnostics) >= {"r_hat", "divergences"}


def test_warm_start_from_a_fit_and_custom_priors():
    best = fit(DATA, MODEL)
    tight = {"tau": {"type": "normal", "loc": 1.2, "scale": 0.001}}
    drawn = sample(DATA, MODEL, **FEW, warm_start=best.parameters, priors=tight)
    assert drawn.summary["tau"]["mean"] == pytest.approx(1.2, abs=0.01)
    assert drawn.diagnostics["priors"]["tau"] == "Normal(loc=1.2, scale=0.001)"


def test_a_prior_in_the_relaxation_time_is_reported_in_both(ps145):
    drawn = sample(
        ps145,
        "maxwell",
        num_warmup=200,
        num_samples=200,
        num_chains=2,
        warm_start={"G0": 7e4, "tau": 60.0},
        priors={"tau": {"type": "lognormal", "loc": 4.0, "scale": 1.0}},
    )
    samples = drawn.posterior_samples
    np.testing.assert_allclose(samples["eta"], samples["tau"] * samples["G0"])


def test_storage_and_loss_modulus_have_noise_of_their_own(melt_data):
    drawn = sample(melt_data, "fractional_maxwell_model", **FEW)
    assert {"sigma_real", "sigma_imag"} <= set(drawn.posterior_samples)
    assert set(drawn.inference_data["observed_data"]) == {"storage_modulus", "loss_modulus"}


def test_one_chain_and_one_draw_give_a_result():
    one = sample(DATA, MODEL, num_warmup=100, num_samples=200, num_chains=1)
    assert np.isnan(one.summary["tau"]["r_hat"])
    least = sample(DATA, MODEL, num_warmup=0, num_samples=1, num_chains=2)
    assert least.posterior_samples["tau"].shape == (2,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_samples": 0}, "num_samples"),
        ({"num_chains": 0}, "num_chains"),
        ({"num_warmup": -1}, "num_warmup"),
        ({"num_samples": 2.5}, "whole number"),
        ({"seed": -1}, "seed"),
        ({"target_accept": 1.5}, "target_accept"),
        ({"warm_start": {"tua": 1.0}}, "did you mean 'tau'"),
        ({"warm_start": {"tau": -1.0}}, "outside its bounds"),
        ({"priors": {"tau": {"type": "norml", "loc": 1, "scale": 1}}}, "did you mean 'normal'"),
        ({"priors": {"tau": {"type": "normal", "loc": 1}}}, "lacks 'scale'"),
        ({"priors": {"tau": {"type": "normal", "loc": 1, "scale": -1}}}, "positive"),
        ({"priors": {"tau": {"type": "normal", "loc": 1, "scale": 1, "low": 0}}}, "'low'"),
        ({"priors": {"tau": {"type": "uniform", "low": 2, "high": 1}}}, "below high"),
        ({"priors": {"tau": {"loc": 1, "scale": 1}}}, "no 'type'"),
        ({"priors": {"tau": 3.0}}, "mapping"),
        ({"priors": {"taus": {"type": "halfnormal", "scale": 1}}}, "no parameter 'taus'"),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_bad_input_is_one_clear_line(change, words):
    with pytest.raises(InputError) as caught:
        sample(DATA, MODEL, **FEW | change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_without_finite_values_is_said_so():
    broken = Model.from_function(
        lambda x, p: jnp.sqrt(-p[0] - x), {"a": (1.0, 2.0)}, test_modes="relaxation", name="broken"
    )
    with pytest.raises(InputError, match="no finite values"):
        sample(DATA, broken, **FEW)


@pytest.mark.parametrize(
    ("given", "ess", "most"),
    [
        ({}, 400.0, 2000),
        ({"max_samples": 300}, 400.0, 300),
        ({"num_samples": 50}, None, 50),
        ({"until_ess": 100.0}, 100.0, 20_000),
        ({"until_ess": 100.0, "num_samples": 50}, 100.0, 500),
        ({"until_ess": 100.0, "num_samples": 50, "max_samples": 70}, 100.0, 70),
    ],
)
def test_it_draws_what_is_asked_for_or_until_the_draws_are_good(given, ess, most):
    task = SampleTask(decay_model(), decay_data(), checkpoint="", **given)
    assert (task.wanted_ess, task.most_draws) == (ess, most)
    task.validate()
    settings = task.settings()
    assert (settings.until_ess, settings.most_draws) == (ess, most)


def test_by_default_it_ends_when_the_draws_are_good_enough():
    drawn = sample(decay_data(), decay_model(), num_warmup=200, seed=1, checkpoint="")
    assert drawn.num_samples < 1000
    for row in drawn.summary.values():
        assert min(row["ess_bulk"], row["ess_tail"]) >= 400.0
        assert row["r_hat"] <= 1.01
    assert drawn.diagnostics["warnings"] == []
