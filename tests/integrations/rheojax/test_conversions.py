"""What the window passes becomes a task; a result becomes the dict that it expects."""

from __future__ import annotations

import importlib.util
import threading

import numpy as np
import pytest

if importlib.util.find_spec("rheojax") is None:
    pytest.skip("RheoJAX is not installed", allow_module_level=True)

from rheojobs.errors import InputError
from rheojobs.inference.fits.task import fit
from rheojobs.inference.sampling.sample import sample
from rheojobs.integrations.rheojax.conversions import (
    FitCall,
    SampleCall,
    fit_dict,
    rheojax_weights,
    sample_dict,
)
from rheojobs.integrations.rheojax.hooks import ParameterDefault

T = np.geomspace(0.01, 10.0, 30)
Y = 1e4 * np.exp(-T / 1.5) * (1 + 0.02 * np.random.default_rng(0).standard_normal(30))
DATA = {"model_name": "maxwell", "x_data": T, "y_data": Y, "test_mode": "relaxation"}
DEFAULTS = {
    "G0": ParameterDefault(1e5, (1e-3, 1e9)),
    "eta": ParameterDefault(1e3, (1e-6, 1e12)),
}

FIT_KEYS = {
    *("success", "model_name", "parameters", "r_squared", "mpe", "chi_squared", "fit_time"),
    *("timestamp", "num_iterations", "message", "dataset_id", "x_fit", "y_fit", "residuals"),
    *("pcov", "reduced_chi_squared", "uncertainties", "rmse", "mae", "aic", "bic", "metadata"),
}
"""Of RheoJAX 0.7.1's `run_fit_isolated`; a slow test holds them against it."""

SAMPLE_KEYS = {
    *("model_name", "dataset_id", "posterior_samples", "summary", "r_hat", "ess", "divergences"),
    *("credible_intervals", "mcmc_time", "timestamp", "num_warmup", "num_samples", "num_chains"),
    *("inference_data", "sample_stats", "bfmi", "diagnostics_valid", "y_band"),
}


def row(value, bounds, fixed=False):
    return {"value": value, "bounds": bounds, "fixed": fixed}


def test_a_table_of_defaults_is_no_start():
    table = {name: row(item.value, item.bounds) for name, item in DEFAULTS.items()}
    task = FitCall(**DATA, initial_params=table).task(DEFAULTS)
    assert task.initial_params == {}
    assert task.options["fixed"] == {}
    assert task.options["bounds"] == {}
    assert task.options["weights"] == "divided"


def test_what_the_user_changed_in_the_table():
    table = {
        "G0": row(2e4, (1e3, 1e6)),
        "eta": row(5e3, DEFAULTS["eta"].bounds, fixed=True),
        "unknown": row(1.0, (0.0, 2.0)),
    }
    options = {"max_iter": 200, "ftol": 1e-3, "algorithm": "nlsq", "verbose": True}
    task = FitCall(**DATA, initial_params=table, options=options).task(DEFAULTS)
    assert task.initial_params == {"G0": 2e4}
    assert task.options["fixed"] == {"eta": 5e3}
    assert task.options["bounds"] == {"G0": (1e3, 1e6)}
    assert task.options["max_iter"] == 200
    assert "ftol" not in task.options  # it does not reach RheoJAX's optimizer either


@pytest.mark.parametrize(
    ("model", "mode", "x", "weights"),
    [
        ("maxwell", "relaxation", T, "divided"),
        ("generalized_maxwell", "relaxation", T, "uniform"),
        ("generalized_maxwell", "oscillation", T, "divided"),
        ("fluidity_local", "startup", T, "uniform"),
        ("fluidity_local", "flow_curve", T, "divided"),
        ("maxwell", "oscillation", np.geomspace(1e-5, 1e5, 50), "relative"),
    ],
)
def test_weights_are_those_of_rheojax(model, mode, x, weights):
    assert rheojax_weights(model, mode, x) == weights


def test_our_own_objective_leaves_the_choice_to_the_data():
    assert "weights" not in FitCall(**DATA, objective="rheojobs").task(DEFAULTS).options
    task = SampleCall(**DATA, objective="rheojobs").task(DEFAULTS, set())
    assert task.likelihood is None
    assert task.default_priors == "logarithmic"


def test_moduli_and_constants_of_the_metadata():
    call = FitCall(
        model_name="zener",
        x_data=T,
        y_data=Y,
        y2_data=2 * Y,
        test_mode="oscillation",
        metadata={"test_mode": "relaxation"},
    )
    np.testing.assert_array_equal(call.dataset().y, Y + 2j * Y)
    assert call.dataset().test_mode == "oscillation"
    metadata = {"gdot": 2.0, "name": "paint", "anything": object()}
    data = FitCall(**DATA | {"test_mode": "startup"}, metadata=metadata).dataset()
    assert data.protocol == {"gamma_dot": 2.0}
    assert data.name == "paint"


def test_data_that_cannot_be_fitted_are_one_line():
    with pytest.raises(InputError, match="NaN"):
        FitCall(**DATA | {"y_data": Y * np.nan}).task(DEFAULTS)


def test_a_sampling_takes_the_editors_priors_but_those_without_effect():
    priors = {
        "G0": {"type": "lognormal", "loc": 9.2, "scale": 1.0},
        "eta": {"type": "exponential", "rate": 1e-4},
        "sigma": {"type": "halfnormal", "scale": 1.0},
    }
    call = SampleCall(
        **DATA,
        priors=priors,
        warm_start={"G0": 1e4, "eta": 1.5e4, "nu": 1.0},
        num_warmup=100,
        num_samples=200,
        num_chains=2,
        target_accept=0.9,
        max_tree_depth=20,
    )
    task = call.task(DEFAULTS, set())
    assert set(task.priors) == {"G0", "eta"}
    assert task.warm_start == {"G0": 1e4, "eta": 1.5e4}
    assert (task.likelihood, task.default_priors) == ("constant", "rheojax")
    assert (task.num_warmup, task.num_samples, task.num_chains) == (100, 200, 2)
    assert (task.target_accept, task.max_tree_depth) == (0.9, 10)
    # The model's own priors go before the user's, as in RheoJAX.
    assert set(call.task(DEFAULTS, {"eta"}).priors) == {"G0"}
    call.fixed = {"G0": 1e4}
    assert set(call.task(DEFAULTS, set()).priors) == {"eta"}


@pytest.fixture(scope="module")
def fitted():
    call = FitCall(**DATA, dataset_id="paint")
    return call, fit(call.dataset(), "maxwell", weights="divided")


def test_a_fit_has_all_keys_and_statistics(fitted):
    call, result = fitted
    found = fit_dict(result, call)
    assert set(found) == FIT_KEYS
    residuals = Y - found["y_fit"]
    assert found["chi_squared"] == pytest.approx(np.sum(residuals**2))
    spread = np.sum((Y - Y.mean()) ** 2)
    assert found["r_squared"] == pytest.approx(1 - np.sum(residuals**2) / spread)
    assert found["mpe"] == pytest.approx(100 * np.mean(np.abs(residuals / Y)))
    assert found["message"] == "Fit successful"
    assert found["dataset_id"] == "paint"
    assert found["timestamp"].count("T") == 1


def test_errors_stand_beside_their_names(fitted):
    """The window pairs the sorted names with the rows of the covariance."""
    call, result = fitted
    result.parameters = {"eta": result.parameters["eta"], "G0": result.parameters["G0"]}
    order = [1, 0]
    result.covariance = result.covariance[np.ix_(order, order)]
    found = fit_dict(result, call)
    names = sorted(found["parameters"])
    assert list(found["parameters"]) == names
    errors = np.sqrt(np.diag(found["pcov"]))
    assert dict(zip(names, errors, strict=True)) == pytest.approx(result.uncertainties)
    assert found["uncertainties"] == pytest.approx(errors.tolist())


def test_moduli_have_statistics_of_both_parts():
    omega = np.geomspace(0.1, 10.0, 20)
    y = 1e4 * 1j * omega * 1.5 / (1 + 1j * omega * 1.5)
    call = FitCall(model_name="maxwell", x_data=omega, y_data=1.02 * y, test_mode="oscillation")
    found = fit_dict(fit(call.dataset(), "maxwell", weights="divided"), call)
    assert np.iscomplexobj(found["y_fit"])
    assert found["residuals"].dtype == float
    assert found["r_squared"] == pytest.approx(1.0, abs=1e-9)


def test_a_sampling_has_all_keys_and_a_band():
    call = SampleCall(**DATA, num_warmup=200, num_samples=200, num_chains=2)
    task = call.task(DEFAULTS, set())
    result = sample(
        call.dataset(),
        "maxwell",
        priors=task.priors,
        num_warmup=200,
        num_samples=200,
        num_chains=2,
        likelihood="constant",
        default_priors="rheojax",
        keep_predictions=False,
        checkpoint="",
    )
    found = sample_dict(result, call)
    assert set(found) >= SAMPLE_KEYS
    low, high = found["y_band"]
    assert (low < high).all()
    assert found["sample_stats"]["energy"].shape == (2, 200)
    for name, (lower, median, upper) in found["credible_intervals"].items():
        draws = found["posterior_samples"][name]
        assert draws.shape == (400,)
        assert lower < median < upper
        assert np.mean(draws < median) == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
def test_the_keys_are_those_of_rheojax():
    """Of its own function, run on the same data."""
    import queue

    from rheojax.gui.jobs.subprocess_bayesian import run_bayesian_isolated
    from rheojax.gui.jobs.subprocess_fit import run_fit_isolated

    places = (queue.Queue(), threading.Event())
    theirs = run_fit_isolated("maxwell", T, Y, "relaxation", {}, {}, *places)
    assert set(theirs) == FIT_KEYS
    counts = (50, 50, 1)
    theirs = run_bayesian_isolated(
        "maxwell", T, Y, "relaxation", *counts, theirs["parameters"], {}, 0, *places
    )
    assert set(theirs) == SAMPLE_KEYS
