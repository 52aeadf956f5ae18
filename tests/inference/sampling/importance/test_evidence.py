"""The evidence, held against a formula and against quadrature without any code of ours."""

from __future__ import annotations

import math
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from tests.inference.helpers import BOUNDS, decay_data, decay_model

from rheojobs.engine.local_context import local_context
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.evidence import Evidence
from rheojobs.inference.sampling.task import SampleTask

pytestmark = pytest.mark.promise("right-or-refused")

PARAMETERS = decay_model().parameters
COUNTS = {"num_warmup": 300, "num_samples": 500, "num_chains": 4, "checkpoint": ""}


def evidence(data: Dataset, model: Model, **settings: object) -> Evidence:
    with local_context() as context:
        return SampleTask(model, data, **COUNTS | settings).run_with_evidence(context)[1]


def check(found: Evidence, truth: float, largest_error: float = 0.05) -> None:
    """Both estimates agree with the truth within four errors, which are small."""
    assert found.log == found.bridge
    assert found.reason == ""
    assert found.bridge_error < largest_error
    assert abs(found.bridge - truth) < 4 * found.bridge_error
    assert found.importance_is_reliable
    assert found.importance_error < largest_error
    assert abs(found.importance - truth) < 4 * found.importance_error


def test_of_a_line_with_known_noise_it_is_the_density_of_a_gaussian():
    """Data of a linear model with Gaussian priors are Gaussian: Bishop (2006), eq. 2.115."""
    x = np.linspace(0.1, 3.0, 12)
    size = 0.2 + 0.1 * x
    y = 1.0 + 2.0 * x + size * np.random.default_rng(0).standard_normal(x.size)
    model = Model.from_function(
        lambda x, p: p[0] + p[1] * x, {"a": (-1e3, 1e3, 0.0), "b": (-1e3, 1e3, 1.0)}, "relaxation"
    )
    priors = {
        "a": {"type": "normal", "loc": 0.5, "scale": 2.0},
        "b": {"type": "normal", "loc": -1.0, "scale": 3.0},
    }
    design = np.stack([np.ones_like(x), x], axis=1)
    covariance = design @ np.diag([4.0, 9.0]) @ design.T + np.diag(size**2)
    truth = stats.multivariate_normal(design @ [0.5, -1.0], covariance).logpdf(y)
    found = evidence(Dataset(x, y, "relaxation", sigma=size), model, priors=priors)
    check(found, float(truth), 0.02)


def quadrature(log_density, ends: list[tuple[float, float]], count: int = 60) -> float:
    """Integrate over a box by the rule of Gauss and Legendre; return the logarithm."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    axes = [0.5 * (high - low) * nodes + 0.5 * (high + low) for low, high in ends]
    sizes = [0.5 * (high - low) * weights for low, high in ends]
    values = log_density(*np.meshgrid(*axes, indexing="ij"))
    for size in reversed(sizes):
        values = values + np.log(size)
        top = values.max(axis=-1, keepdims=True)
        values = np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0]
    return float(values)


def decay_log_density(data: Dataset, log_g, log_tau, log_sigma):
    """Return the density in logarithms, in which the default priors are uniform."""
    scale = max(float(np.std(data.y)), 0.01 * float(np.mean(np.abs(data.y))), 1e-3)
    widths = [math.log(high / low) for low, high, _ in BOUNDS.values()]
    sigma = np.exp(log_sigma)
    total = -math.log(widths[0] * widths[1]) + log_sigma - sigma / scale - math.log(scale)
    for x, y in zip(data.x, data.y, strict=True):
        residual = (y - np.exp(log_g - x * np.exp(-log_tau))) / sigma
        total = total - 0.5 * residual**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return total


def test_with_default_priors_and_unknown_noise_it_is_that_of_quadrature():
    data = decay_data()
    box = [
        (math.log(2e4) - 0.1, math.log(2e4) + 0.1),
        (math.log(1.5) - 0.1, math.log(1.5) + 0.1),
        (math.log(300.0) - 0.7, math.log(300.0) + 0.9),
    ]
    truth = quadrature(lambda *at: decay_log_density(data, *at), box)
    wider = [(low - 0.05, high + 0.05) for low, high in box]
    assert quadrature(lambda *at: decay_log_density(data, *at), wider, 90) == pytest.approx(
        truth, abs=1e-5
    )
    check(evidence(data, decay_model(), likelihood="constant"), truth)


def squares(x, p):
    return (p[0] ** 2 + 0.02 * p[0]) * x


@pytest.mark.parametrize("scale", [0.05, 0.6])
def test_of_two_maxima_it_is_the_sum(scale):
    """Both signs of p suit the data; with much noise, chains go from one to the other."""
    x = np.linspace(0.1, 2.0, 30)
    y = x + scale * np.random.default_rng(3).standard_normal(x.size)
    data = Dataset(x, y, "relaxation", sigma=np.full(x.size, scale))
    model = Model.from_function(squares, {"p": (-3.0, 3.0, 1.0)}, "relaxation", name="squares")
    prior = {"type": "normal", "loc": 0.5, "scale": 1.2}

    def density(p: float) -> float:
        log = stats.norm.logpdf(y, squares(x, [p]), scale).sum() + stats.norm.logpdf(p, 0.5, 1.2)
        return float(np.exp(log - reference))

    reference = float(stats.norm.logpdf(y, x, scale).sum())
    whole, _ = integrate.quad(density, -5.0, 5.0, points=[-1.0, 0.0, 1.0], epsabs=1e-12, limit=200)
    found = evidence(data, model, priors={"p": prior})
    check(found, math.log(whole) + reference, 0.1)


def test_equal_terms_count_in_any_order():
    """Draws have the terms in one order; the evidence is of both."""

    def pair(x, p):
        return jnp.exp(-x / p[0]) + jnp.exp(-x / p[1])

    x = np.linspace(0.05, 6.0, 40)
    clean = np.exp(-x / 0.5) + np.exp(-x / 3.0)
    y = clean + 0.02 * np.random.default_rng(5).standard_normal(x.size)
    data = Dataset(x, y, "relaxation", sigma=np.full(x.size, 0.02))
    bounds = {"tau_1": (0.01, 100.0, 0.3), "tau_2": (0.01, 100.0, 5.0)}
    model = Model.from_function(pair, bounds, "relaxation", name="pair")
    model = replace(model, modes=(("tau_1",), ("tau_2",)))

    def log_density(one, other):
        total = -2.0 * math.log(math.log(1e4)) + np.zeros_like(one)
        for at, value in zip(x, y, strict=True):
            curve = np.exp(-at * np.exp(-one)) + np.exp(-at * np.exp(-other))
            total += stats.norm.logpdf(value, curve, 0.02)
        return total

    ends = [(math.log(0.3), math.log(0.8)), (math.log(2.0), math.log(4.5))]
    half = quadrature(log_density, ends)
    assert half == pytest.approx(quadrature(log_density, ends[::-1]), abs=1e-9)
    check(evidence(data, model), half + math.log(2.0))


def test_a_prior_that_may_be_improper_leaves_no_evidence():
    from numpyro.distributions import ImproperUniform, constraints

    prior = ImproperUniform(constraints.positive, (), ())
    found = evidence(decay_data(), decay_model(), priors={"G0": prior})
    assert math.isnan(found.log)
    assert "the prior of 'G0' may be improper" in found.reason


def test_priors_that_are_centred_on_the_fit_are_warned_of():
    centred = [replace(item, prior_is_centred=item.name == "tau") for item in PARAMETERS]
    model = replace(decay_model(), parameters=tuple(centred))
    assert "the priors of tau are centred on the fit" in evidence(decay_data(), model).reason
    prior = {"type": "loguniform", "low": 0.1, "high": 10.0}
    assert evidence(decay_data(), model, priors={"tau": prior}).reason == ""


def test_too_few_draws_leave_the_importance_sampling():
    found = evidence(decay_data(), decay_model(), num_samples=5)
    assert math.isnan(found.bridge)
    assert found.log == found.importance
    assert found.reason == "too few draws for a bridge"


def test_the_same_seed_gives_the_same_evidence():
    assert evidence(decay_data(), decay_model()) == evidence(decay_data(), decay_model())
