"""Samplings of data that bring their standard deviations, and with parameters that are fixed.

A straight line with Gaussian priors has a posterior that is known: what is drawn is held
against it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from tests.inference.helpers import decay_data, decay_model, run_until, same_draws

from rheojobs.engine.serialization import record_of, task_of
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.readiness.prewarm import PrewarmTask
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling import chains
from rheojobs.inference.sampling.prior_predictive import prior_predictive
from rheojobs.inference.sampling.sample import extend, resume, sample
from rheojobs.inference.sampling.task import SampleTask

X = np.linspace(0.5, 10.0, 25)
SIGMA = 0.3 + 0.2 * X
PRIORS = {
    "a": {"type": "normal", "loc": 1.0, "scale": 0.5},
    "b": {"type": "normal", "loc": 0.0, "scale": 3.0},
}
COUNTS = {"num_warmup": 300, "num_samples": 1000, "checkpoint": ""}


def line(x, params):
    """A straight line."""
    return params[0] + params[1] * x


LINE = Model.from_function(line, {"a": (-1e3, 1e3, 0.0), "b": (-1e3, 1e3, 1.0)}, "relaxation")


def line_data(seed: int = 0) -> Dataset:
    noise = SIGMA * np.random.default_rng(seed).standard_normal(X.size)
    return Dataset(X, 2.0 + 0.7 * X + noise, "relaxation", sigma=SIGMA)


def exact(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the covariance of (a, b) by the formulas of the conjugate prior."""
    design = np.stack([np.ones_like(X), X], axis=1)
    before = np.diag([1 / 0.5**2, 1 / 3.0**2])
    covariance = np.linalg.inv(design.T @ (design / data.sigma[:, None] ** 2) + before)
    return covariance @ (design.T @ (data.y / data.sigma**2) + before @ [1.0, 0.0]), covariance


@pytest.fixture(scope="module")
def drawn() -> BayesianResult:
    """No likelihood is named: the data choose it."""
    return sample(line_data(), LINE, priors=PRIORS, **COUNTS)


def test_the_posterior_is_that_of_the_formula(drawn):
    assert drawn.diagnostics["likelihood"] == "sigma"
    assert list(drawn.posterior_samples) == ["a", "b"]  # no noise among them
    assert list(drawn.diagnostics["priors"]) == ["a", "b"]
    mean, covariance = exact(line_data())
    draws = np.stack([drawn.posterior_samples[name] for name in ("a", "b")])
    for row, name in enumerate(("a", "b")):
        off = abs(draws[row].mean() - mean[row])
        assert off < 5 * drawn.summary[name]["mcse_mean"]
    np.testing.assert_allclose(np.cov(draws), covariance, rtol=0.12)


def test_each_value_has_its_own_likelihood_and_prediction(drawn):
    tree, data = drawn.inference_data, line_data()
    shape = tree["log_likelihood"]["y"].shape
    a, b = (drawn.posterior_samples[name].reshape(shape[:2])[..., None] for name in ("a", "b"))
    expected = scipy.stats.norm.logpdf(data.y, a + b * X, SIGMA)
    np.testing.assert_allclose(tree["log_likelihood"]["y"], expected, rtol=1e-9)
    apart = (np.asarray(tree["posterior_predictive"]["y"]) - (a + b * X)) / SIGMA
    np.testing.assert_allclose(apart.std(axis=(0, 1)), 1.0, atol=0.08)
    misfit = np.sqrt(np.mean(((data.y - a - b * X) / SIGMA) ** 2))
    assert drawn.diagnostics["misfit"] == pytest.approx(misfit, rel=1e-9)
    assert not any("standard deviations" in words for words in drawn.diagnostics["warnings"])


@pytest.mark.parametrize(("factor", "words"), [(0.2, "are too small"), (20.0, "are too large")])
def test_deviations_that_cannot_be_are_said(factor, words):
    data = replace(line_data(), sigma=factor * SIGMA)
    found = sample(data, LINE, num_warmup=100, num_samples=100, num_chains=2, checkpoint="")
    (warning,) = [text for text in found.diagnostics["warnings"] if "given standard" in text]
    assert words in warning


def test_another_likelihood_that_is_named_samples_its_noise():
    few = {"num_warmup": 50, "num_samples": 50, "num_chains": 1, "checkpoint": ""}
    found = sample(line_data(), LINE, likelihood="constant", **few)
    without = sample(replace(line_data(), sigma=None), LINE, **few)
    assert "sigma" in found.posterior_samples
    assert same_draws(found, without)


def test_moduli_have_a_deviation_each(melt_data):
    sigma = 0.05 * np.abs(melt_data.y.real) + 0.1j * np.abs(melt_data.y.imag)
    data = replace(melt_data, sigma=sigma)
    counts = {"num_warmup": 100, "num_samples": 50, "num_chains": 2, "checkpoint": ""}
    found = sample(data, "maxwell", **counts)
    assert list(found.posterior_samples) == ["G0", "eta"]
    g, eta = (found.posterior_samples[name].reshape(2, 50, 1) for name in ("G0", "eta"))
    wt = data.x * eta / g
    for name, curve, y, noise in (
        ("storage_modulus", g * wt**2 / (1 + wt**2), data.y.real, sigma.real),
        ("loss_modulus", g * wt / (1 + wt**2), data.y.imag, sigma.imag),
    ):
        np.testing.assert_allclose(
            found.inference_data["log_likelihood"][name],
            scipy.stats.norm.logpdf(y, curve, noise),
            rtol=1e-8,
        )


def test_other_data_of_the_kind_compile_nothing(compilations):
    few = {"num_warmup": 50, "num_samples": 50, "num_chains": 2, "checkpoint": ""}
    sample(line_data(), LINE, priors=PRIORS, **few)
    compilations.clear()
    data = Dataset(X[:22], line_data(4).y[:22], "relaxation", sigma=2 * SIGMA[:22])
    sample(data, LINE, priors=PRIORS, **few)
    assert compilations == []


def test_stopped_it_goes_on_to_the_same_draws(melt_data, tmp_path, monkeypatch):
    """The folder alone knows the deviations, and what is fixed."""
    monkeypatch.setattr(chains, "CHUNK_SECONDS", 0.0)
    sigma = 0.05 * (np.abs(melt_data.y.real) + 1j * np.abs(melt_data.y.imag))
    data = replace(melt_data, sigma=sigma)
    given = {"num_warmup": 100, "num_samples": 100, "num_chains": 2, "fixed": {"Ge": 3.0}}
    whole = sample(data, "zener", **given, checkpoint="")
    assert "Ge" not in whole.posterior_samples
    assert whole.diagnostics["fixed"] == {"Ge": 3.0}
    folder = str(tmp_path / "kept")
    work = SampleTask("zener", data, **given, checkpoint=folder)
    run_until(work, lambda p: sum(p.metrics.get("chains", [0])) > 20)
    for others in (
        {"data": replace(data, sigma=2 * sigma)},
        {"data": data, "fixed": {"Ge": 4.0}},
    ):
        settings = given | {"checkpoint": folder} | others
        with pytest.raises(InputError, match=r"with other (data|settings)"):
            sample(settings.pop("data"), "zener", **settings)
    assert same_draws(resume(folder), whole)
    assert extend(whole, 10).diagnostics["likelihood"] == "sigma"


def test_a_task_of_the_store_has_them_still(melt_data):
    sigma = 0.05 * (np.abs(melt_data.y.real) + 1j * np.abs(melt_data.y.imag))
    work = SampleTask("zener", replace(melt_data, sigma=sigma), fixed={"Ge": 3.0})
    again = task_of(record_of(work))
    assert isinstance(again, SampleTask)
    assert again.checked_data().sigma.tobytes() == sigma.tobytes()
    assert (again.likelihood, again.fixed) == ("sigma", {"Ge": 3.0})


def test_a_fixed_parameter_leaves_the_conditional_posterior():
    data, b = line_data(), 0.7
    found = sample(data, LINE, priors={"a": PRIORS["a"]}, fixed={"b": b}, **COUNTS)
    assert list(found.posterior_samples) == ["a"]
    precision = np.sum(1 / SIGMA**2) + 1 / 0.5**2
    mean = (np.sum((data.y - b * X) / SIGMA**2) + 1.0 / 0.5**2) / precision
    assert abs(found.summary["a"]["mean"] - mean) < 5 * found.summary["a"]["mcse_mean"]
    assert found.summary["a"]["std"] == pytest.approx(precision**-0.5, rel=0.08)


def test_the_priors_predict_with_the_noise_that_is_known():
    tree = prior_predictive(line_data(), LINE, priors=PRIORS)
    assert list(tree["prior"].data_vars) == ["a", "b"]
    a, b = (np.asarray(tree["prior"][name])[..., None] for name in ("a", "b"))
    apart = (np.asarray(tree["prior_predictive"]["y"]) - (a + b * X)) / SIGMA
    np.testing.assert_allclose(apart.std(axis=(0, 1)), 1.0, atol=0.15)


def test_it_can_be_prepared(compilations):
    """What is compiled ahead is what a sampling then calls."""
    from rheojobs.engine.local_context import local_context

    model = decay_model()
    with local_context() as context:
        PrewarmTask(model, "relaxation", n=40, sampling_options={"likelihood": "sigma"}).run(
            context
        )
    compilations.clear()
    data = replace(decay_data(), sigma=np.full(40, 300.0))
    counts = {"num_warmup": 20, "num_samples": 20, "num_chains": 1, "checkpoint": ""}
    sample(data, model, warm_start={"G0": 2e4, "tau": 1.5}, **counts)
    assert compilations == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"priors": {"sigma": {"type": "halfnormal", "scale": 1.0}}}, "the noise is known"),
        ({"fixed": {"a": 1.0, "b": 1.0}}, "nothing to sample"),
        ({"fixed": {"c": 1.0}}, "no parameter 'c'"),
        ({"fixed": {"a": 1e6}}, "outside its bounds"),
        ({"fixed": {"a": 1.0}, "priors": {"a": PRIORS["a"]}}, "no prior of 'a'"),
        ({"fixed": [1.0]}, "numbers by name"),
        ({"likelihood": "sigm"}, "did you mean 'sigma'"),
    ],
)
def test_what_is_refused(settings, words):
    with pytest.raises(InputError, match=words) as caught:
        sample(line_data(), LINE, **settings)
    assert "\n" not in str(caught.value)


def test_without_deviations_there_is_no_such_likelihood():
    with pytest.raises(InputError, match="needs a standard deviation for each point"):
        sample(replace(line_data(), sigma=None), LINE, likelihood="sigma")
