"""Bounds given to a sampling: priors and draws end at them; what does not fit is refused."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from tests.inference.helpers import decay_data, decay_model

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.bounds import truncated
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.posterior.priors import prior_of
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.task import SampleTask

pytestmark = pytest.mark.promise("right-or-refused")

VALUES = {"G0": 2e4, "tau": 1.5}
FEW = {"num_warmup": 200, "num_samples": 500, "num_chains": 2, "checkpoint": ""}


def posterior(bounds: dict, priors: dict | None = None) -> Posterior:
    problem = Problem.of(decay_model(), decay_data(), None)
    return Posterior.of(problem, priors or {}, VALUES, bounds=bounds)


def prior_words(bounds: dict, priors: dict | None = None) -> str:
    made = posterior(bounds, priors)
    return made.priors[made.sites.index("tau")].words


def test_a_default_prior_is_cut_off_and_stays_of_its_kind():
    assert prior_words({}) == "LogUniform(low=1e-06, high=1e+06)"
    # Between 1 and 2 a parameter spans no decades, but its model's bounds do.
    assert prior_words({"tau": (1.0, 2.0)}) == "LogUniform(low=1, high=2)"


def test_a_given_prior_is_cut_off_or_refused():
    bounds = {"tau": (1.0, 2.0)}
    words = prior_words(bounds, {"tau": {"type": "normal", "loc": 1.5, "scale": 1.0}})
    assert words == "TruncatedNormal(loc=1.5, scale=1, low=1, high=2)"
    words = prior_words(bounds, {"tau": {"type": "uniform", "low": 1.2, "high": 9.0}})
    assert words == "Uniform(low=1.2, high=2)"
    with pytest.raises(InputError, match=r"Gamma.*reaches beyond its bounds, 1 to 2"):
        prior_words(bounds, {"tau": {"type": "gamma", "concentration": 2.0, "rate": 1.0}})
    with pytest.raises(InputError, match="misses"):
        prior_words(bounds, {"tau": {"type": "uniform", "low": 5.0, "high": 9.0}})
    with pytest.raises(InputError, match="Gumbel"):
        truncated("tau", prior_of("tau", dist.Gumbel(1.0, 1.0)), 0.0, 3.0)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"tua": (1.0, 2.0)}, "no parameter 'tua'; did you mean 'tau'"),
        ({"tau": (1.0, 2e6)}, "reach beyond the model's"),
    ],
)
def test_bounds_that_cannot_hold_are_refused(bounds, words):
    with pytest.raises(InputError, match=words):
        posterior(bounds)


def test_an_alternative_s_prior_and_bounds_are_refused():
    t = np.geomspace(0.01, 8.0, 20)
    problem = Problem.of("maxwell", Dataset(t, 2e4 * np.exp(-t / 1.5), "relaxation"), None)
    prior = {"tau": {"type": "lognormal", "loc": 0.4, "scale": 0.5}}
    with pytest.raises(InputError, match="bounds of 'eta' or a prior of 'tau'"):
        Posterior.of(problem, prior, {"G0": 2e4, "eta": 3e4}, bounds={"eta": (1e4, 1e5)})


def known_noise() -> Dataset:
    data = decay_data()
    return Dataset(data.x, data.y, "relaxation", sigma=np.full(len(data), 300.0))


def test_a_sampling_after_a_fit_has_its_bounds_and_fixed_values():
    """The posterior of the one free parameter, by integration over a grid."""
    data, bounds = known_noise(), {"tau": (1.5, 1.53)}
    first = fit(data, decay_model(), fixed={"G0": 2e4}, bounds=bounds)
    assert first.given_bounds == bounds
    result = sample(data, decay_model(), fit=first, **FEW)
    draws = result.posterior_samples["tau"]
    assert result.diagnostics["fixed"] == {"G0": 2e4}
    assert draws.min() >= 1.5
    assert draws.max() <= 1.53
    tau = np.linspace(*bounds["tau"], 20_001)
    curve = 2e4 * np.exp(-data.x / tau[:, None])
    log_density = -0.5 * np.sum(((data.y - curve) / 300.0) ** 2, axis=1) - np.log(tau)
    density = np.exp(log_density - log_density.max())
    mean = float(np.sum(tau * density) / np.sum(density))
    spread = math.sqrt(float(np.sum((tau - mean) ** 2 * density) / np.sum(density)))
    error = spread / math.sqrt(result.diagnostics["ess_bulk"]["tau"])
    assert abs(draws.mean() - mean) < 4 * error
    assert draws.std() == pytest.approx(spread, rel=0.1)


def test_what_is_given_goes_before_the_fit_and_the_task_is_stored_with_it():
    first = fit(decay_data(), decay_model(), bounds={"tau": (1.0, 2.0), "G0": (1e3, 1e5)})
    given = {"fixed": {"G0": 2e4}, "bounds": {"tau": (1.2, 1.8)}}
    task = SampleTask(decay_model(), decay_data(), fit=first, checkpoint="", **given)
    task.validate()
    assert task.fixed == {"G0": 2e4}
    assert task.bounds == {"tau": (1.2, 1.8), "G0": (1e3, 1e5)}
    assert task.warm_start == first.parameters
    t = np.geomspace(0.01, 8.0, 20)
    data = Dataset(t, 2e4 * np.exp(-t / 1.5), "relaxation")
    task = SampleTask("maxwell", data, bounds={"eta": (1e4, 1e5)}, checkpoint="")
    again = SampleTask.from_record(*task.to_record())
    again.validate()
    assert again.bounds == {"eta": (1e4, 1e5)}


def test_a_tied_fit_or_one_of_another_model_is_refused():
    data = decay_data()
    tied = fit(data, decay_model(), tied={"G0": "1e4 * tau"})
    with pytest.raises(InputError, match=r"ties parameters \(G0 = 1e4 \* tau\)"):
        sample(data, decay_model(), fit=tied, **FEW)
    with pytest.raises(InputError, match="the fit is of decay, the sampling of maxwell"):
        sample(data, "maxwell", fit=fit(data, decay_model()), **FEW)


def test_few_values_are_refused_by_a_fit_and_told_by_a_sampling():
    data = Dataset(np.array([1.0]), np.array([1e4]), "relaxation", sigma=np.array([500.0]))
    with pytest.raises(InputError, match="2 free parameters, the data have 1 values"):
        fit(data, decay_model())
    assert fit(data, decay_model(), fixed={"tau": 1.5}).success  # one is free
    result = sample(data, decay_model(), bounds={"tau": (0.5, 5.0)}, **FEW)
    assert any("1 values for 2 sampled parameters" in w for w in result.diagnostics["warnings"])
    improper = Model.from_function(
        lambda x, p: p[0] * jnp.exp(-x / p[1]),
        {"G0": (0.0, 1e9), "tau": (1e-6, 1e6)},
        test_modes="relaxation",
    )
    flat = {"G0": dist.ImproperUniform(dist.constraints.positive, (), ())}
    with pytest.raises(InputError, match="the prior of 'G0' is improper"):
        sample(data, improper, priors=flat, warm_start=VALUES, **FEW)
