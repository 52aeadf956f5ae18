"""Fits: the same answer as SciPy, true progress, cancelling, and one line for each bad input."""

from __future__ import annotations

import dataclasses
import math

import jax
import numpy as np
import pytest
import scipy.optimize

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.task import FitTask, fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.fit_result import FitResult

CASES = {
    "maxwell": "ps145_relaxation.csv",
    "zener": "ps145_relaxation.csv",
    "fractional_maxwell_model": "polyisoprene_483k_oscillation.csv",
    "fractional_maxwell_gel": "fish_muscle_relaxation.csv",
    "carreau": "ethylcellulose_5pct_flow.csv",
    "cross": "ethylcellulose_5pct_flow.csv",
    "power_law": "ethylcellulose_5pct_flow.csv",
    "maxwell ": "ps160_creep.csv",
}


def decay(x, params):
    """Relax with one time."""
    return params[0] * jax.numpy.exp(-x / params[1])


def decay_model() -> Model:
    bounds = {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}
    return Model.from_function(decay, bounds, test_modes="relaxation")


def decay_data(n: int = 40, noise: float = 0.0, seed: int = 0) -> Dataset:
    t = np.linspace(0.05, 5.0, n)
    y = 2e4 * np.exp(-t / 1.5) * (1 + noise * np.random.default_rng(seed).standard_normal(n))
    return Dataset(t, y, "relaxation")


@pytest.mark.parametrize("case", CASES)
def test_parameters_agree_with_scipy(case, shared_data):
    name = case.strip()
    data = read(shared_data / CASES[case])
    data = data.thin(max(1, len(data) // 200))
    result = fit(data, name)
    problem = Problem.of(name, data, None)
    objective = Objective.of(problem)
    seen = problem.coarse_observations
    y = seen.y[:, : seen.n]
    is_relative = result.weights == "relative"
    coordinates = objective.coordinates

    def residuals(u):
        params = coordinates.to_params(u)
        curve = problem.components(seen.x, params)[:, : seen.n]
        return (jax.numpy.log(curve / y) if is_relative else curve - y).reshape(-1)

    names = [item.name for item in coordinates.own]
    best = coordinates.to_u(np.array([result.parameters[name] for name in names]))
    lower, upper = coordinates.widest.lower, coordinates.widest.upper
    width = np.maximum(np.abs(best), 1.0) * 1e-6
    theirs = scipy.optimize.least_squares(
        lambda u: np.asarray(residuals(u)),
        np.clip(best + 0.05, lower + width, upper - width),
        jac=lambda u: np.asarray(jax.jacfwd(residuals)(u)),
        bounds=(lower, upper),
        x_scale="jac",
        ftol=1e-14,
        xtol=1e-14,
        gtol=1e-14,
        max_nfev=5000,
    )
    ours = np.array([result.parameters[name] for name in names])
    named = coordinates.named(theirs.x)
    expected = np.array([named[name] for name in names])
    assert result.chi_squared <= 2.0 * theirs.cost * (1 + 1e-8)
    determined = np.array([np.isfinite(result.uncertainties[name]) for name in names])
    np.testing.assert_allclose(ours[determined], expected[determined], rtol=1e-4)


def test_result_has_all_fields_of_the_contract(melt_data):
    result = fit(melt_data, "generalized_maxwell", model_config={"n_modes": 3})
    assert isinstance(result, FitResult)
    assert result.model_name == "generalized_maxwell"
    assert result.success
    assert result.test_mode == "oscillation"
    assert result.weights == "relative"
    assert result.n_iterations is not None
    assert result.n_iterations > 1
    assert result.fit_time > 0
    assert result.timestamp.tzinfo is not None
    p = len(result.parameters)
    assert result.covariance.shape == (p, p)
    np.testing.assert_allclose(
        list(result.uncertainties.values()), np.sqrt(np.diag(result.covariance))
    )
    np.testing.assert_allclose(result.fitted + result.residuals, melt_data.y)
    y, fitted = melt_data.y, result.fitted
    parts = ((y.real, fitted.real), (y.imag, fitted.imag))
    ratios = np.concatenate([curve / data for data, curve in parts])
    assert result.chi_squared == pytest.approx(np.sum(np.log(ratios) ** 2))
    assert result.mpe == pytest.approx(100 * np.mean(np.abs(1 - ratios)))
    assert result.reduced_chi_squared == pytest.approx(
        result.chi_squared / (2 * len(melt_data) - p)
    )
    assert result.bic > result.aic
    assert set(result.units) == set(result.parameters)


def test_uncertainties_cover_the_truth():
    inside = 0
    for seed in range(40):
        result = fit(decay_data(noise=0.03, seed=seed), decay_model(), weights="relative")
        inside += abs(result.parameters["tau"] - 1.5) < result.uncertainties["tau"]
    assert 17 <= inside <= 37  # 27 are expected; 5 standard deviations of a binomial


def test_a_second_fit_of_a_kind_compiles_nothing(compilations):
    model = Model.from_function(
        lambda x, p: p[0] * jax.numpy.exp(-x / p[1]) + 0.0 * x,
        {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)},
        test_modes="relaxation",
    )
    fit(decay_data(40), model)
    assert compilations  # the listener hears something
    compilations.clear()
    other = decay_data(57, noise=0.02, seed=1)
    fit(other, model)
    fit(other, model, weights="relative", loss="cauchy", multi_start=3)
    fit(other, model, fixed={"tau": 1.2}, initial_params={"G0": 10.0}, ftol=1e-6, max_iter=7)
    fit(dataclasses.replace(other, sigma=0.02 * other.y), model, intervals="profile")
    assert compilations == []


def test_each_iteration_tells_its_true_loss():
    reports: list[Progress] = []
    data = decay_data(noise=0.05)
    result = fit(data, decay_model(), weights="uniform", callback=reports.append)
    last = [report for report in reports if report.stage == "fit"][-1]
    assert last.current == result.n_iterations
    assert last.metrics["loss"] == pytest.approx(result.chi_squared)
    assert last.metrics["parameters"] == pytest.approx(result.parameters)
    predicted = last.metrics["parameters"]["G0"] * np.exp(
        -data.x / last.metrics["parameters"]["tau"]
    )
    assert last.metrics["loss"] == pytest.approx(np.sum((data.y - predicted) ** 2))


def test_cancelling_between_iterations_keeps_the_best_so_far(melt_data):
    token = CancellationToken()
    partial: list[FitResult] = []

    def stop_early(progress: Progress) -> None:
        if progress.stage == "fit":
            token.cancel()

    task = FitTask(
        "generalized_maxwell", melt_data, None, {"model_config": {"n_modes": 4}, "multi_start": 100}
    )
    with (
        pytest.raises(CancellationError),
        local_context(stop_early, token, partial.append) as context,
    ):
        task.run(context)
    assert len(partial) == 1
    assert not partial[0].success
    assert partial[0].n_iterations < 1000  # 100 starts take many thousand
    assert math.isfinite(partial[0].chi_squared)


def test_what_a_callback_raises_ends_the_fit():
    def refuse(progress: Progress) -> None:
        raise RuntimeError("no more of this")

    with pytest.raises(RuntimeError, match="no more of this"):
        fit(decay_data(), decay_model(), callback=refuse)


def test_several_starts_are_never_worse(melt_data):
    config = {"n_modes": 4}
    one = fit(melt_data, "generalized_maxwell", model_config=config)
    many = fit(melt_data, "generalized_maxwell", model_config=config, multi_start=6)
    assert many.chi_squared <= one.chi_squared * (1 + 1e-6)
    assert "best of 6 starts" in many.message


def test_more_modes_than_the_data_need_come_to_an_end(melt_data):
    result = fit(melt_data, "generalized_maxwell", model_config={"n_modes": 12})
    assert result.success
    assert result.n_iterations < 500
    assert result.warnings  # that not all of them are determined


def test_progress_of_several_starts_says_which(melt_data):
    reports: list[Progress] = []
    options = {"model_config": {"n_modes": 4}, "multi_start": 4, "callback": reports.append}
    fit(melt_data, "generalized_maxwell", **options)
    fitted = [report for report in reports if report.stage == "fit"]
    numbers = [report.metrics["start"] for report in fitted]
    assert numbers == sorted(numbers)
    assert fitted[-1].metrics["starts"] == 4
    assert [report.current for report in fitted] == sorted(report.current for report in fitted)
    # What is to do is what the starts so far have needed, not the most that they may.
    assert all(report.current < report.total for report in fitted)
    assert fitted[-1].total < 1.5 * fitted[-1].current


def test_the_relaxation_time_stands_for_the_viscosity(ps145):
    by_tau = fit(ps145, "maxwell", initial_params={"G0": 1e5, "tau": 10.0}, max_iter=1)
    by_eta = fit(ps145, "maxwell", initial_params={"G0": 1e5, "eta": 1e6}, max_iter=1)
    assert by_tau.parameters == pytest.approx(by_eta.parameters)


def test_a_parameter_that_the_data_leave_open_is_said_to_be():
    t = np.linspace(0.001, 0.01, 30)  # far too short to see the relaxation
    noise = 1 + 0.01 * np.random.default_rng(3).standard_normal(30)
    result = fit(Dataset(t, 1e4 * noise, "relaxation"), decay_model(), weights="uniform")
    assert result.parameters["G0"] == pytest.approx(1e4, rel=0.02)
    assert result.uncertainties["G0"] < 200
    assert result.uncertainties["tau"] > result.parameters["tau"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "maxwel"}, "did you mean 'maxwell'"),
        ({"model": 3}, "a model is"),
        ({"initial_params": {"G1": 1.0}}, "no parameter 'G1'"),
        ({"initial_params": {"G0": -5.0}}, "outside its bounds"),
        ({"initial_params": {"G0": float("nan")}}, "finite"),
        ({"options": {"maxiter": 3}}, "did you mean 'max_iter'"),
        ({"options": {"max_iter": 0}}, "max_iter"),
        ({"options": {"weights": "log"}}, "weights"),
        ({"options": {"ftol": -1.0}}, "ftol"),
        ({"options": {"weights": "sigma"}}, "needs a standard deviation for each point"),
        ({"options": {"loss": "hubert"}}, "did you mean 'huber'"),
        ({"options": {"intervals": "wald"}}, "profile"),
        ({"options": {"fixed": 3}}, "numbers by name"),
        ({"options": {"fixed": {"G0": "much"}}}, "finite number"),
        ({"options": {"fixed": {"eta": -1.0}}}, "outside its bounds"),
        ({"options": {"fixed": {"tau": 1.0}}}, "fix or tie 'eta'"),
        ({"options": {"fixed": {"G0": 1.0, "eta": 1.0}}}, "nothing is left"),
        ({"options": {"fixed": {"G0": 1.0}}, "initial_params": {"G0": 2.0}}, "is fixed"),
        ({"options": {"tied": {"eta": "G1"}}}, "no parameter 'G1'"),
        ({"options": {"tied": {"et": "G0"}}}, "did you mean 'eta'"),
        ({"options": {"tied": {"eta": "-G0"}}}, "outside the bounds"),
        ({"options": {"tied": {"eta": "G0", "G0": "eta"}}}, "circle"),
        ({"options": {"tied": {"eta": "G0"}, "fixed": {"G0": 1e5, "eta": 1.0}}}, "at once"),
        ({"options": {"protocol": {"gamma": 1.0}}}, "gamma"),
        ({"options": {"model_config": 7}}, "model_config"),
        ({"options": {"test_mode": "osc"}}, "oscillation"),
        ({"options": {"test_mode": "startup"}}, "does not describe"),
        ({"data": ([1.0, 2.0], [1.0])}, "x has 2 values, y has 1"),
        ({"data": ([], [])}, "empty"),
        ({"data": ([1.0, np.nan, 3.0], [1.0, 2.0, 3.0])}, "NaN"),
        ({"data": ([1.0, 2.0, 3.0], [1.0, np.inf, 3.0])}, "infinite"),
        ({"data": ([0.0, 2.0, 3.0], [1.0, 2.0, 3.0])}, "positive"),
        ({"data": ([1.0], [1.0])}, "2 free parameters"),
        ({"data": ([1.0, 2.0], ["a", "b"])}, "y"),
        ({"data": 12}, "x"),
    ],
)
@pytest.mark.promise("one-line-errors")
def test_bad_input_is_one_clear_line(change, words):
    given = {
        "model": "maxwell",
        "data": ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]),
        "initial_params": None,
        "options": {},
    } | change
    given["options"] = {"test_mode": "relaxation"} | given["options"]
    with pytest.raises(InputError) as caught, local_context() as context:
        FitTask(**given).run(context)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message


def test_each_iteration_tells_the_curve_that_belongs_to_it():
    """Of many data at 200 of them; at most ten times a second, so that it costs little."""
    data = decay_data(n=1000, noise=0.05)
    reports: list[Progress] = []
    result = fit(data, decay_model(), weights="uniform", callback=reports.append)
    first = next(report for report in reports if report.stage == "fit").metrics
    assert first["curve_y"].shape == (1, first["curve_x"].size) == (1, 200)
    assert (np.diff(first["curve_x"]) > 0).all()
    iterations, losses, starts = first["losses"]
    assert (np.diff(starts) >= 0).all()
    assert iterations[-1] <= result.n_iterations
    # The curve is that of the last loss told beside it.
    at = np.searchsorted(data.x, first["curve_x"])
    np.testing.assert_array_equal(data.x[at], first["curve_x"])
    scale = data.x.size / 200 * np.sum((data.y[at] - first["curve_y"][0]) ** 2)
    assert losses[-1] == pytest.approx(scale, rel=0.5)


def test_bounds_are_made_narrower_for_one_fit():
    data = decay_data()
    free = fit(data, decay_model()).parameters["tau"]
    result = fit(data, decay_model(), bounds={"tau": (0.1, 0.8 * free)})
    assert result.parameters["tau"] == pytest.approx(0.8 * free)
    assert result.bounds["tau"] == pytest.approx((0.1, 0.8 * free))
    assert any("tau is at its upper bound" in text for text in result.warnings)


def test_bounds_of_a_modulus_may_reach_beyond_the_models():
    """A glass of 8 GPa, whose model expects 1 GPa at most; by the formula of the Zener solid."""
    omega, Ge, Gm, tau = np.geomspace(0.01, 100.0, 40), 1e8, 8e9, 1.0
    data = Dataset(omega, Ge + Gm * 1j * omega * tau / (1 + 1j * omega * tau), "oscillation")
    assert any("Gm is at its upper bound" in text for text in fit(data, "zener").warnings)
    found = fit(data, "zener", bounds={"Gm": (1.0, 1e12)}, initial_params={"Gm": 5e9})
    assert found.parameters == pytest.approx({"Ge": Ge, "Gm": Gm, "eta": Gm * tau}, rel=1e-6)
    with pytest.raises(InputError, match="the bounds of alpha, 0 to 2, reach beyond the model's"):
        fit(data, "fractional_zener_ss", bounds={"alpha": (0.0, 2.0)})


@pytest.mark.parametrize(
    ("bounds", "start", "words"),
    [
        ({"taus": (0.1, 1.0)}, {}, "no bounds of 'taus'; .*tau"),
        ({"tau": (0.1, 1e9)}, {}, "reach beyond the model's"),
        ({"tau": (1.0, 0.1)}, {}, "are empty"),
        ({"tau": 3.0}, {}, "must have two numbers for tau"),
        ({"tau": (0.1, 1.0)}, {"tau": 5.0}, "outside the bounds that are given"),
    ],
)
def test_bounds_that_are_none_are_refused(bounds, start, words):
    with pytest.raises(InputError, match=words):
        fit(decay_data(), decay_model(), bounds=bounds, initial_params=start)


def test_a_parameter_of_next_to_no_influence_holds_up_no_other() -> None:
    def curve(t, params):
        G0, tau, idle = params
        beyond = jax.numpy.where(idle > 5.0, np.nan, 1.0)  # as where an equation cannot be solved
        return G0 * jax.numpy.exp(-t / tau) * (1.0 + 1e-19 * idle) * beyond

    bounds = {"G0": (1.0, 1e6), "tau": (1e-2, 1e2), "idle": (1e-3, 1e3)}
    model = Model.from_function(curve, bounds, test_modes="relaxation")
    found = fit(decay_data(), model, initial_params={"G0": 3e3, "tau": 20.0, "idle": 1.0})
    assert found.success
    assert found.parameters["G0"] == pytest.approx(2e4, rel=0.03)
    assert found.parameters["tau"] == pytest.approx(1.5, rel=0.03)
    assert math.isinf(found.uncertainties["idle"])
