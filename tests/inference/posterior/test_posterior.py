"""The statistical model: RheoJAX's own density, padding that changes nothing, whitening."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from numpyro.distributions import biject_to
from numpyro.infer.util import log_density

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.observations import Observations
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.inference.sampling.sample import sample


def posterior(data: Dataset, model: str | Model, values: dict[str, float], **priors) -> Posterior:
    problem = Problem.of(model, data, None)
    return Posterior.of(problem, priors, values, "constant", default_priors="rheojax")


def unconstrained_density(setup: Posterior, site_values: list[float]) -> float:
    """The log density of the sites themselves, without the Jacobian of their transforms."""
    z = setup.unconstrain(site_values)
    jacobian = sum(
        float(biject_to(prior.distribution().support).log_abs_det_jacobian(coordinate, value))
        for prior, coordinate, value in zip(setup.priors, z, site_values, strict=True)
    )
    return float(programs_of(setup).log_density(z, *setup.data)) - jacobian


CASES = {
    "maxwell": ("ps145", {"G0": 7e4, "eta": 4e6}, {"sigma": 9e3}),
    "zener": ("ps145", {"Ge": 1e3, "Gm": 7e4, "eta": 4e6}, {"sigma": 9e3}),
    "fractional_maxwell_liquid": (
        "polyisoprene",
        {"Gm": 3e5, "alpha": 0.8, "tau_alpha": 1e3},
        {"sigma_real": 1e5, "sigma_imag": 8e4},
    ),
    "fractional_maxwell_model": (
        "polyisoprene",
        {"c1": 1e5, "alpha": 0.6, "beta": 0.4, "tau": 1e3},
        {"sigma_real": 1e5, "sigma_imag": 8e4},
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.promise("rheojax-posterior")
def test_density_is_that_of_rheojax(name, request):
    """RheoJAX's own NumPyro model gives the same log density at every point that is tried."""
    from rheojax.core.registry import ModelRegistry
    from rheojax.core.test_modes import TestModeEnum

    fixture, parameters, noise = CASES[name]
    data: Dataset = request.getfixturevalue(fixture)
    theirs = ModelRegistry.create(name)
    mode = TestModeEnum(data.test_mode)
    prepared = theirs._prepare_jax_data(data.x, data.y)
    model = theirs._build_numpyro_model(
        param_names=list(theirs.parameters),
        param_bounds=theirs._get_parameter_bounds(data.x, data.y, mode),
        test_mode=mode,
        is_complex_data=prepared["is_complex"],
        scale_info=prepared["scale_info"],
    )
    ours = posterior(data, name, parameters)
    generator = np.random.default_rng(1)
    for _ in range(5):
        scale = np.exp(0.1 * generator.standard_normal(len(parameters) + len(noise)))
        point = dict(
            zip([*parameters, *noise], [*parameters.values(), *noise.values()] * scale, strict=True)
        )
        expected, _ = log_density(model, (prepared["X_jax"], prepared["y_jax"]), {}, point)
        found = unconstrained_density(ours, [point[site] for site in ours.sites])
        assert found == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_padding_changes_neither_density_nor_gradient(name, request):
    fixture, parameters, noise = CASES[name]
    data: Dataset = request.getfixturevalue(fixture)
    padded = posterior(data, name, parameters)
    seen = padded.problem.observations
    assert seen.x.size > len(data)
    n = seen.n
    exact = Observations(seen.x[:n], seen.y[:, :n], seen.mask[:n], n)
    bare = replace(padded, problem=replace(padded.problem))
    vars(bare.problem)["observations"] = exact  # in place of those it would compute
    z = padded.unconstrain(padded.site_values(parameters, noise))
    gradient = jax.grad(programs_of(padded)._log_density)
    assert float(programs_of(padded).log_density(z, *padded.data)) == pytest.approx(
        float(programs_of(padded).log_density(z, *bare.data)), rel=1e-12
    )
    np.testing.assert_allclose(
        gradient(z, *padded.data), gradient(z, *bare.data), rtol=1e-9, atol=1e-9
    )


def test_a_prior_of_an_alternative_is_of_that_alternative(ps145):
    values = {"G0": 7e4, "eta": 4e6}
    setup = posterior(ps145, "maxwell", values, tau={"type": "lognormal", "loc": 4.0, "scale": 0.5})
    assert setup.sites == ("G0", "tau", "sigma")
    plain = posterior(ps145, "maxwell", values)
    noise = {"sigma": 9e3}
    found = unconstrained_density(setup, setup.site_values(values, noise))
    base = unconstrained_density(plain, plain.site_values(values, noise))
    expected = base - float(dist.Uniform(1e-6, 1e12).log_prob(4e6))
    expected += float(dist.LogNormal(4.0, 0.5).log_prob(4e6 / 7e4))
    assert found == pytest.approx(expected)


def test_priors_of_numpyro_and_of_the_noise_are_taken(ps145):
    setup = posterior(
        ps145,
        "maxwell",
        {},
        G0=dist.LogNormal(11.0, 1.0),
        sigma={"type": "halfnormal", "scale": 1e4},
    )
    assert isinstance(setup.priors[0].distribution(), dist.LogNormal)
    assert isinstance(setup.priors[2].distribution(), dist.HalfNormal)


@pytest.mark.promise("compiled-once")
def test_other_data_and_other_hyperparameters_compile_nothing(ps145, compilations):
    def evaluate(data: Dataset, loc: float) -> float:
        prior = {"type": "normal", "loc": loc, "scale": 1e4}
        setup = posterior(data, "maxwell", {}, G0=prior)
        z = setup.unconstrain(setup.site_values({"G0": 7e4, "eta": 4e6}, {"sigma": 9e3}))
        return float(programs_of(setup).log_density(z, *setup.data))

    evaluate(ps145, 6e4)
    shorter = Dataset(ps145.x[:147], ps145.y[:147], "relaxation")
    compilations.clear()
    assert evaluate(shorter, 7e4) != evaluate(ps145, 6e4)
    assert compilations == []


def test_a_prior_that_misses_the_bounds_is_refused(ps145):
    with pytest.raises(InputError, match="misses the bounds"):
        posterior(ps145, "maxwell", {}, G0={"type": "uniform", "low": 1e10, "high": 1e11})


def test_a_start_without_a_chance_under_its_prior_is_moved_inside(ps145):
    values = {"G0": 7e4, "eta": 4e6}
    narrow = {"type": "uniform", "low": 8e4, "high": 9e4}
    setup = posterior(ps145, "maxwell", values, G0=narrow)
    z = setup.unconstrain(setup.site_values(values, {"sigma": 9e3}))
    assert np.isfinite(z).all()


def test_the_prior_is_what_numpyro_samples(ps145):
    """Draws of RheoJAX's default priors lie where ours have density."""
    setup = posterior(ps145, "maxwell", {})
    for prior in (given.distribution() for given in setup.priors):
        draws = prior.sample(jax.random.PRNGKey(0), (100,))
        assert np.isfinite(np.asarray(prior.log_prob(draws))).all()


def test_decades_get_a_prior_in_the_logarithm(melt_data):
    problem = Problem.of("generalized_maxwell", melt_data, {"n_modes": 2})
    modes = Posterior.of(problem, {}, {})
    assert modes.priors[modes.sites.index("tau_1")].words.startswith("LogUniform(")
    liquid = Posterior.of(Problem.of("fractional_maxwell_liquid", melt_data, None), {}, {})
    kinds = {
        name: prior.words.partition("(")[0]
        for name, prior in zip(liquid.sites, liquid.priors, strict=True)
    }
    assert kinds["Gm"] == "LogUniform"
    assert kinds["alpha"] == "Beta"


def test_wide_bounds_do_not_draw_the_chains_off_the_data(melt_data):
    """RheoJAX's bounds on the times reach 1e30 s; uniform priors would put them all there."""
    best = fit(melt_data, "generalized_maxwell", model_config={"n_modes": 3})
    drawn = sample(
        melt_data,
        "generalized_maxwell",
        model_config={"n_modes": 3},
        num_warmup=300,
        num_samples=300,
        warm_start=best.parameters,
        likelihood="relative",
        checkpoint="",
    )
    assert drawn.summary["sigma_real"]["mean"] < 0.6
    for mode in (1, 2, 3):
        name = f"tau_{mode}"
        assert 0.1 < drawn.summary[name]["median"] / best.parameters[name] < 10
