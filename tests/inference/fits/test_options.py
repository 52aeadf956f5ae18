"""Weights, losses, fixed and tied parameters: each against what is known, and bounds always."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inference.helpers import decay_data, decay_model

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.fit_report import facts
from rheojobs.inference.results.fit_result import FitResult


def two_decays(x, G1, tau1, G2, tau2):
    """Relax with two times."""
    return G1 * jnp.exp(-x / tau1) + G2 * jnp.exp(-x / tau2)


TWO = Model.from_function(
    two_decays,
    {
        "G1": (1.0, 1e8, 1e3),
        "tau1": (1e-4, 1e4, 1.0),
        "G2": (0.0, 1e8, 1e3),
        "tau2": (1e-4, 1e4, 10.0),
    },
    test_modes="relaxation",
)


def two_data(noise: float = 0.0) -> Dataset:
    t = np.geomspace(0.01, 30.0, 60)
    y = 2e4 * np.exp(-t / 0.3) + 1e4 * np.exp(-t / 6.0)
    return Dataset(
        t, y * (1 + noise * np.random.default_rng(0).standard_normal(t.size)), "relaxation"
    )


def test_relative_residuals_do_not_prefer_a_curve_below_the_data(polyisoprene):
    result = fit(polyisoprene, "fractional_maxwell_liquid")
    assert result.weights == "relative"
    assert result.weights_reason
    logs = np.log10(
        np.concatenate(
            [result.fitted.real / polyisoprene.y.real, result.fitted.imag / polyisoprene.y.imag]
        )
    )
    # Divided by the data, the residuals of this model end with a mean of -0.74 decades.
    assert abs(np.mean(logs)) < 0.3
    assert result.r_squared > 0


@pytest.mark.parametrize("loss", ["soft_l1", "huber", "cauchy"])
def test_a_robust_loss_sees_past_outliers(loss):
    clean = decay_data(60)
    y = clean.y.copy()
    y[[5, 20, 40]] += 8000.0
    spoiled = Dataset(clean.x, y, "relaxation")
    plain = fit(spoiled, decay_model(), weights="uniform")
    robust = fit(spoiled, decay_model(), weights="uniform", loss=loss)
    assert robust.success
    assert abs(robust.parameters["tau"] - 1.5) < 0.25 * abs(plain.parameters["tau"] - 1.5)
    assert robust.uncertainties["tau"] < 0.5 * plain.uncertainties["tau"]
    # The scale follows the noise (300), not the outliers.
    assert 300 < robust.loss_scale < 1200
    assert robust.objective < robust.chi_squared


def test_a_robust_loss_minimizes_what_scipy_does():
    from scipy.optimize import least_squares

    data = decay_data(60)
    y = data.y.copy()
    y[10] += 5000.0
    for loss in ("soft_l1", "huber", "cauchy"):
        ours = fit(Dataset(data.x, y, "relaxation"), decay_model(), weights="uniform", loss=loss)
        theirs = least_squares(
            lambda p: p[0] * np.exp(-data.x / p[1]) - y,
            [1.9e4, 1.4],
            loss=loss,
            f_scale=ours.loss_scale,
            x_scale=[1e4, 1.0],
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
        )
        assert ours.objective == pytest.approx(2.0 * theirs.cost, rel=1e-9)
        assert list(ours.parameters.values()) == pytest.approx(theirs.x, rel=1e-4)


def test_with_sigma_the_covariance_is_absolute():
    data = decay_data(60)
    with_sigma = Dataset(data.x, data.y, "relaxation", sigma=np.full(60, 300.0))
    result = fit(with_sigma, decay_model())
    assert result.weights == "sigma"
    uniform = fit(data, decay_model(), weights="uniform")
    assert result.parameters == pytest.approx(uniform.parameters, rel=1e-6)
    scale = 300.0 / np.sqrt(uniform.reduced_chi_squared)
    assert result.uncertainties["tau"] == pytest.approx(scale * uniform.uncertainties["tau"])
    assert result.aic == pytest.approx(result.chi_squared + 2 * 2)
    doubled = Dataset(data.x, data.y, "relaxation", sigma=np.full(60, 600.0))
    assert fit(doubled, decay_model()).uncertainties["tau"] == pytest.approx(
        2.0 * result.uncertainties["tau"], rel=1e-6
    )


def test_sigma_of_moduli_is_one_for_each(polyisoprene):
    y = polyisoprene.y
    sigma = 0.05 * y.real + 1j * 50.0 * y.imag  # G'' counts for nothing
    given = Dataset(polyisoprene.x, y, "oscillation", sigma=sigma)
    result = fit(given, "fractional_maxwell_liquid")
    assert result.weights == "sigma"
    weighted = result.residuals.real / sigma.real, result.residuals.imag / sigma.imag
    assert result.chi_squared == pytest.approx(sum(np.sum(part**2) for part in weighted))


@pytest.mark.parametrize(
    ("sigma", "words"),
    [
        (np.ones(3), "sigma has shape"),
        (np.zeros(60), "positive"),
        (np.full(60, np.nan), "positive"),
        (["a"] * 60, "sigma is not numeric"),
    ],
)
def test_a_sigma_that_is_none_is_refused(sigma, words):
    data = decay_data(60)
    with pytest.raises(InputError, match=words):
        Dataset.of({"x": data.x, "y": data.y, "sigma": sigma, "test_mode": "relaxation"})


def test_sigma_follows_the_data():
    flow = Dataset(
        np.array([1.0, 2.0, 4.0]),
        np.array([3.0, 5.0, 8.0]),
        "flow_curve",
        quantity="shear stress",
        sigma=np.array([0.1, 0.2, 0.4]),
    )
    viscosity = flow.as_flow_quantity("viscosity")
    np.testing.assert_allclose(viscosity.sigma / viscosity.y, flow.sigma / flow.y)
    np.testing.assert_allclose(flow.thin(2).sigma, [0.1, 0.4])
    columns = Dataset.of(([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), test_mode="oscillation")
    assert columns.sigma is None


def test_a_fixed_parameter_stays_and_the_others_make_the_best_of_it():
    data = decay_data(60)
    result = fit(data, decay_model(), fixed={"tau": 2.0}, weights="uniform")
    curve = np.exp(-data.x / 2.0)
    assert result.parameters["tau"] == 2.0
    assert result.parameters["G0"] == pytest.approx(np.sum(curve * data.y) / np.sum(curve**2))
    assert result.uncertainties["tau"] == 0.0
    assert result.reduced_chi_squared == pytest.approx(result.chi_squared / 59)
    assert result.fixed == {"tau": 2.0}


def test_a_tied_parameter_follows_and_has_an_error_too():
    result = fit(two_data(0.01), TWO, tied={"G2": "0.5 * G1", "tau2": "20 * tau1"})
    found = result.parameters
    assert found["G2"] == pytest.approx(0.5 * found["G1"])
    assert found["tau2"] == pytest.approx(20 * found["tau1"])
    assert found["G1"] == pytest.approx(2e4, rel=0.03)
    assert result.uncertainties["G2"] == pytest.approx(0.5 * result.uncertainties["G1"], rel=1e-4)
    assert result.reduced_chi_squared == pytest.approx(result.chi_squared / 58)
    free = fit(two_data(0.01), TWO)
    assert free.chi_squared <= result.chi_squared * (1 + 1e-9)


def test_a_tie_is_kept_within_the_bounds_of_what_is_tied():
    tight = Model.from_function(
        two_decays,
        {"G1": (1.0, 1e8), "tau1": (1e-4, 1e4), "G2": (0.0, 500.0), "tau2": (1e-4, 1e4)},
        test_modes="relaxation",
    )
    result = fit(two_data(), tight, tied={"G2": "0.5 * G1"})
    assert result.parameters["G1"] == pytest.approx(1000.0)
    assert result.parameters["G2"] == pytest.approx(500.0)
    assert any("G2 is at its upper bound" in warning for warning in result.warnings)


def test_a_model_that_is_nan_in_places_is_fitted_all_the_same():
    model = Model.from_function(
        lambda x, p: jnp.where(p[1] > 3.0, jnp.nan, p[0] * jnp.exp(-x / p[1])),
        {"G0": (1e-3, 1e9), "tau": (1e-6, 1e6)},
        test_modes="relaxation",
    )
    result = fit(decay_data(60), model, multi_start=5)
    assert result.success
    assert result.parameters["tau"] == pytest.approx(1.5, rel=0.05)


@pytest.mark.parametrize("name", ["G0", "tau"])
def test_what_lies_at_a_bound_is_said(name):
    bounds = {"G0": (1.0, 1e4 if name == "G0" else 1e9), "tau": (1e-3, 1.0)}
    model = Model.from_function(
        lambda x, p: p[0] * jnp.exp(-x / p[1]), bounds, test_modes="relaxation", name=f"b_{name}"
    )
    result = fit(decay_data(60), model)
    assert result.parameters[name] == bounds[name][1]
    assert any(warning.startswith(f"{name} is at its upper bound") for warning in result.warnings)


def test_all_fields_survive_being_saved(tmp_path):
    result = fit(
        decay_data(60),
        decay_model(),
        loss="cauchy",
        fixed={"G0": 2e4},
        intervals="profile",
        multi_start=3,
    )
    result.save(tmp_path / "fit.json")
    loaded = FitResult.load(tmp_path / "fit.json")
    for name, value in result.as_dict().items():
        np.testing.assert_equal(getattr(loaded, name), value, err_msg=name)
    assert loaded.to_markdown() == result.to_markdown()


TIES = [{}, {"G2": "0.5 * G1"}, {"tau2": "tau1 ** 2"}, {"G2": "G1 - 100"}, {"tau2": "1 / tau1"}]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    y=st.lists(st.floats(-1e6, 1e12).map(lambda v: round(v, 3)), min_size=6, max_size=12),
    start=st.one_of(st.none(), st.tuples(st.floats(1.0, 1e8), st.floats(1e-4, 1e4))),
    tied=st.sampled_from(TIES),
    fixed=st.sampled_from([{}, {"tau1": 0.5}]),
    weights=st.sampled_from(["uniform", "relative", None]),
    loss=st.sampled_from(["linear", "cauchy"]),
)
def test_every_estimate_lies_within_its_bounds(y, start, tied, fixed, weights, loss):
    given_start = {} if start is None else {"G1": start[0]}
    if start is not None and not fixed:
        given_start["tau1"] = start[1]
    x = np.geomspace(0.01, 100.0, len(y))
    result = fit(
        Dataset(x, np.array(y), "relaxation"),
        TWO,
        initial_params=given_start,
        tied=tied,
        fixed=fixed,
        weights=weights,
        loss=loss,
        max_iter=60,
    )
    for parameter in TWO.parameters:
        lower, upper = parameter.bounds
        assert lower <= result.parameters[parameter.name] <= upper
    assert np.isfinite(result.objective)


def test_the_report_speaks_of_logarithms_only_where_they_are_taken():
    data = decay_data()
    plain = fit(data, decay_model(), weights="relative")
    told = dict(facts(plain))
    assert "of the logarithms" in told["R²"]
    assert "ln(model/data)" in told["weights"]
    y = data.y.copy()
    y[-1] = -y[-1]
    below = fit(Dataset(data.x, y, "relaxation"), decay_model(), weights="relative")
    told = dict(facts(below))
    assert "of the logarithms" not in told["R²"]
    assert "divided by its datum" in told["weights"]
