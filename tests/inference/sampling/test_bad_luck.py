"""Bad input and bad luck: each works, or says in one line why not; never a silent nonsense."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from tests.inference.helpers import decay, decay_data, decay_model

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Alternative
from rheojobs.inference.posterior.likelihood_names import LIKELIHOODS
from rheojobs.inference.results import thresholds
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling.sample import sample

pytestmark = pytest.mark.slow

FEW = {"num_warmup": 200, "num_samples": 200, "num_chains": 2, "checkpoint": ""}
TIMES = np.linspace(0.05, 5.0, 40)


def draw(
    data: Dataset | None = None, model: str | Model | None = None, **settings: object
) -> BayesianResult:
    """Sample, and make sure that whatever is wrong with the result is said."""
    data = data or decay_data()
    if settings.get("likelihood") == "sigma":
        data = replace(data, sigma=np.full(len(data), 0.02 * np.abs(data.y).max() or 1.0))
    result = sample(data, model or decay_model(), **FEW | settings)
    for name, draws in result.posterior_samples.items():
        assert np.isfinite(draws).all(), name
    said = result.diagnostics["warnings"]
    rows = result.summary.values()
    good = result.diagnostics["divergences"] == 0
    for key, is_good in (
        ("r_hat", lambda value: value <= thresholds.MAX_R_HAT),  # False where it is NaN
        ("ess_bulk", lambda value: value >= thresholds.MIN_ESS),
        ("ess_tail", lambda value: value >= thresholds.MIN_ESS),
    ):
        good = good and all(is_good(row[key]) for row in rows)
    assert good or said
    assert all("\n" not in words for words in said)
    return result


def refused(**settings: object) -> str:
    """Give the one line that a sampling of `decay` is refused with."""
    with pytest.raises(InputError) as caught:
        draw(settings.pop("data", None), settings.pop("model", None), **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def says(result: BayesianResult, words: str) -> bool:
    return any(words in warning for warning in result.diagnostics["warnings"])


def of(function, bounds, name: str) -> Model:
    return Model.from_function(function, bounds, test_modes="relaxation", name=name)


def some(n: int) -> Dataset:
    """A few of the points, spread over all times."""
    data = decay_data()
    picked = np.linspace(0, len(data) - 1, n).astype(int)
    return Dataset(data.x[picked], data.y[picked], "relaxation")


# Priors


@pytest.mark.parametrize(("low", "high"), [(1e7, 1e8), (-2.0, -1.0)])
def test_a_prior_that_misses_the_bounds(low, high):
    words = refused(priors={"tau": {"type": "uniform", "low": low, "high": high}})
    assert "misses the bounds 1e-06 to 1e+06" in words


def test_a_prior_of_the_noise_that_is_nowhere_positive():
    words = refused(priors={"sigma": {"type": "uniform", "low": -2, "high": -1}})
    assert "prior of sigma covers -2 to -1" in words


def test_a_prior_beyond_the_bounds_is_said_where_its_draws_are():
    result = draw(priors={"tau": {"type": "normal", "loc": -5, "scale": 0.1}})
    assert says(result, "100 % of the draws of tau lie outside its bounds")
    inside = draw(priors={"tau": {"type": "normal", "loc": 1.5, "scale": 1.0}})
    assert not says(inside, "outside its bounds")


def test_a_prior_of_an_alternative(melt_data):
    prior = {"type": "lognormal", "loc": 0.0, "scale": 2.0}
    result = draw(melt_data, "maxwell", priors={"tau": prior})
    samples = result.posterior_samples
    np.testing.assert_allclose(samples["eta"], samples["tau"] * samples["G0"])
    negative = {"type": "uniform", "low": -5, "high": -1}
    words = refused(data=melt_data, model="maxwell", priors={"tau": negative})
    assert "the prior of tau makes eta about -" in words
    assert "misses the bounds" in words


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        (dist.Poisson(3.0), "must be continuous"),
        (dist.Delta(1.5), "has no width at 1.5"),
        ({"type": "normal", "loc": 1.5, "scale": 1e-30}, "has no width at 1.5"),
    ],
)
def test_priors_that_cannot_be_sampled(prior, words):
    assert words in refused(priors={"tau": prior})


@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("loc", [1.5, 1.2])
def test_an_extremely_informative_prior_wins(loc, scale):
    prior = {"type": "normal", "loc": loc, "scale": scale}
    result = draw(priors={"tau": prior}, num_samples=500)
    row = result.summary["tau"]
    assert abs(row["mean"] - loc) < 5 * scale
    assert row["std"] == pytest.approx(scale, rel=0.15)
    assert row["r_hat"] < 1.05
    assert result.diagnostics["divergences"] <= 10


def test_an_extremely_narrow_support():
    result = draw(priors={"tau": {"type": "uniform", "low": 1.2, "high": 1.2 + 1e-9}})
    assert result.posterior_samples["tau"].std() == pytest.approx(1e-9 / math.sqrt(12), rel=0.2)


def test_an_improper_prior_is_sampled_where_the_data_bound_it():
    flat = dist.ImproperUniform(dist.constraints.positive, (), ())
    result = draw(priors={"tau": flat})
    assert result.summary["tau"]["mean"] == pytest.approx(1.485, abs=0.02)


# Models


def nowhere_here(x, params):
    """Have no values but where the time is long."""
    return jnp.where(params[1] > 4.0, decay(x, params), jnp.nan)


def test_a_start_with_zero_likelihood():
    model = of(nowhere_here, {"G0": (1e3, 1e5, 1e4), "tau": (0.1, 10.0, 1.0)}, "nowhere_here")
    words = refused(model=model, warm_start={"G0": 2e4, "tau": 1.5})
    assert "gives no finite values at G0 = 20000, tau = 1.5: start elsewhere" in words
    far = {"type": "normal", "loc": 1e9, "scale": 1e-1}
    bounded = of(decay, {"G0": (1e3, 1e5, 1e4), "tau": (0.1, 10.0, 1.0)}, "bounded")
    result = draw(model=bounded, priors={"G0": far})  # a start that the prior all but excludes
    assert says(result, "draws of G0 lie outside its bounds")


def partly(x, params):
    """Have no values where the time is a little above its estimate."""
    return jnp.where(params[1] > 1.5, jnp.nan, decay(x, params))


def test_a_model_without_values_in_a_part_of_the_prior():
    bounds = {"G0": (1e3, 1e5, 1e4), "tau": (0.1, 10.0, 1.0)}
    result = draw(model=of(partly, bounds, "partly"), num_samples=1000)
    tau = result.posterior_samples["tau"]
    assert tau.max() <= 1.5
    whole = draw(model=of(decay, bounds, "whole"), num_samples=1000).posterior_samples["tau"]
    assert (whole > 1.5).mean() > 0.05  # else the part would not matter
    assert tau.mean() == pytest.approx(whole[whole <= 1.5].mean(), abs=0.003)


def no_slope(x, params):
    """Have values everywhere, and derivatives nowhere."""
    return jnp.where(params[1] > 0, decay(x, params), jnp.sqrt(-params[1]))


def test_a_model_without_derivatives():
    words = refused(model=of(no_slope, {"G0": (1e3, 1e5), "tau": (0.1, 10.0)}, "no_slope"))
    assert "derivatives are not finite" in words


def test_a_parameter_whose_bounds_coincide():
    model = of(decay, {"G0": (1e-3, 1e9, 1e3), "tau": (1.5, 1.5)}, "fixed")
    result = draw(model=model)
    assert set(result.posterior_samples) == {"G0", "sigma"}
    assert result.summary["G0"]["mean"] == pytest.approx(2e4, rel=0.02)
    words = refused(model=model, priors={"tau": {"type": "normal", "loc": 1.5, "scale": 0.1}})
    assert "fixed at 1.5 by its bounds" in words


def test_an_alternative_may_hang_on_a_parameter_that_is_fixed():
    tau = Alternative(
        "tau", "eta", "s", "", lambda v, p: v * p["G0"], lambda p: p["eta"] / p["G0"], ("G0",)
    )
    model = Model.from_function(
        lambda t, p: p[0] * jnp.exp(-t * p[0] / p[1]),
        {"G0": (2e4, 2e4), "eta": (1e2, 1e7, 3e4)},
        test_modes="relaxation",
        name="half_fixed",
        alternatives=(tau,),
    )
    result = draw(model=model, priors={"tau": {"type": "lognormal", "loc": 0.4, "scale": 0.5}})
    assert set(result.posterior_samples) == {"eta", "tau", "sigma"}
    eta, found = result.posterior_samples["eta"], result.posterior_samples["tau"]
    assert eta == pytest.approx(2e4 * found)
    assert result.summary["tau"]["mean"] == pytest.approx(1.5, rel=0.05)


def test_all_parameters_fixed_leave_the_noise():
    result = draw(model=of(decay, {"G0": (2e4, 2e4), "tau": (1.5, 1.5)}, "all_fixed"))
    assert set(result.posterior_samples) == {"sigma"}
    assert result.summary["sigma"]["mean"] == pytest.approx(250, abs=60)


def test_bounds_that_the_data_are_beyond():
    data = Dataset(TIMES, 1e11 * decay_data().y, "relaxation")
    assert says(draw(data), "the noise (sigma) is as large as the data")
    assert not says(draw(), "as large as the data")


def test_parameters_that_the_data_do_not_determine(melt_data):
    """RheoJAX's uniform priors reach 1e30 s, and take two modes off the data that the fit had.

    R-hat and ESS look perfect there, and the noise is that of the fit.
    """
    settings = {"model_config": {"n_modes": 6}, "default_priors": "rheojax"}
    settings["likelihood"] = "constant"
    best = fit(melt_data, "generalized_maxwell", model_config={"n_modes": 6})
    left = draw(melt_data, "generalized_maxwell", warm_start=best.parameters, **settings)
    lost = left.diagnostics["undetermined"]
    # Of few draws one may miss the prior's quantiles by chance: then it is not said of it.
    assert set(lost) <= {name for name, row in left.summary.items() if row["median"] > 1e20}
    assert len(lost) >= 1
    assert says(left, f"the data do not determine {', '.join(lost)}, whose draws are those of")
    settings["likelihood"] = "relative"  # which hears the small moduli, too
    kept = draw(melt_data, "generalized_maxwell", warm_start=best.parameters, **settings)
    assert kept.diagnostics["undetermined"] == []


# Data


def test_three_points_from_a_fit_under_wide_uniform_priors():
    """The priors outweigh so few data, and the chains leave them: that must be said."""
    three = some(3)
    best = fit(three, decay_model())
    left = draw(three, warm_start=best.parameters, default_priors="rheojax", num_warmup=500)
    assert says(left, "the chains left the data: sigma is ")
    many = draw(warm_start=fit(decay_data(), decay_model()).parameters, default_priors="rheojax")
    assert not says(many, "left the data")


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("n", [2, 3, 4])
def test_few_points_with_each_likelihood(n, likelihood):
    result = draw(some(n), likelihood=likelihood)
    assert result.num_samples == 200


def test_fewer_points_than_parameters():
    """The priors are proper, so that there is a posterior; a fit would be refused."""
    assert says(draw(some(1)), "1 values for 3 sampled parameters: the priors decide")


@pytest.mark.slow
def test_very_many_points():
    """Predictions are kept of some draws; memory stays bounded."""
    n = 100_000
    t = np.linspace(0.01, 5.0, n)
    noise = 300.0 * np.random.default_rng(0).standard_normal(n)
    data = Dataset(t, 2e4 * np.exp(-t / 1.5) + noise, "relaxation")
    start = fit(data, decay_model()).parameters
    unit = 1 if sys.platform == "darwin" else 1024
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    result = draw(data, warm_start=start, num_warmup=100, num_samples=150)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
    assert used < 1.5e9
    kept = result.inference_data["posterior_predictive"]["y"]
    assert 10 <= kept.sizes["draw"] < 150
    assert result.summary["tau"]["mean"] == pytest.approx(1.5, abs=0.003)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(Dataset(TIMES, np.full(40, 5.0), "relaxation"), id="constant"),
        pytest.param(Dataset(TIMES, np.zeros(40), "relaxation"), id="zero"),
        pytest.param(Dataset(np.ones(40), np.full(40, 5.0), "relaxation"), id="one point, again"),
        pytest.param(Dataset(np.ones(40), decay_data().y, "relaxation"), id="one time"),
    ],
)
def test_data_that_determine_nothing(data, likelihood):
    result = draw(data, likelihood=likelihood)
    assert result.diagnostics["warnings"]


@pytest.mark.parametrize("scale", [1e-12, 1e15])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_huge_and_small_stresses(scale, likelihood):
    """The posterior scales with the data, whatever their unit."""
    data = Dataset(TIMES, scale * decay_data().y, "relaxation")
    bounds = {"G0": (scale * 1e1, scale * 1e7), "tau": (1e-3, 1e3)}
    result = draw(data, of(decay, bounds, f"stress_{scale:g}"), likelihood=likelihood)
    model = of(decay, {"G0": (1e1, 1e7), "tau": (1e-3, 1e3)}, "stress_1")
    plain = draw(model=model, likelihood=likelihood)
    for name, unit in (("G0", scale), ("tau", 1.0)):
        row, expected = result.summary[name], plain.summary[name]
        assert abs(row["mean"] / unit - expected["mean"]) < 0.5 * expected["std"], name
        assert row["std"] / unit == pytest.approx(expected["std"], rel=0.35), name


@pytest.mark.parametrize("scale", [1e-12, 1e15])
@pytest.mark.parametrize("low", [1e-3, 0.0])
def test_huge_and_small_times(scale, low):
    data = Dataset(scale * TIMES, decay_data().y, "relaxation")
    bounds = {"G0": (1e1, 1e7), "tau": (low * scale, 10.0 * scale)}
    result = draw(data, of(decay, bounds, f"time_{scale:g}_{low}"))
    assert result.summary["tau"]["mean"] / scale == pytest.approx(1.485, abs=0.02)


# Counts


def test_one_chain():
    result = draw(num_chains=1)
    assert np.isnan(result.summary["tau"]["r_hat"])
    assert says(result, "one chain cannot show")


def test_64_chains(recwarn):
    result = draw(num_chains=64, num_warmup=100, num_samples=20)
    assert result.posterior_samples["tau"].shape == (1280,)
    assert len(result.diagnostics["bfmi"]) == 64
    assert not [item for item in recwarn if "chain dimension" in str(item.message)]


@pytest.mark.parametrize("num_warmup", [0, 1, 5, 19, 20])
def test_little_warm_up(num_warmup):
    result = draw(num_warmup=num_warmup)
    assert result.diagnostics["warnings"]


def test_too_few_draws_to_tell_how_good_they_are():
    result = draw(num_samples=1)
    assert np.isnan(result.summary["tau"]["ess_bulk"])
    assert says(result, "too few for diagnostics")


def test_the_longest_trajectories_are_said():
    """Only the sum of two squares is known, and to five digits: a ring, thin and long."""
    scatter = 1e-5 * np.random.default_rng(0).standard_normal(40)
    ring = Model.from_function(
        lambda x, p: (p[0] ** 2 + p[1] ** 2) * jnp.exp(-x),
        {"a": (-2.0, 2.0, 0.6), "b": (-2.0, 2.0, 0.8)},
        test_modes="relaxation",
    )
    data = Dataset(TIMES, np.exp(-TIMES) + scatter, "relaxation")
    result = draw(data, ring, warm_start={"a": 0.6, "b": 0.8})
    assert result.diagnostics["cut_short"] > 0
    assert says(result, "longest trajectory")
