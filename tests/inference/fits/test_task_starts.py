"""Starts: on real measurements the best of 16 is never beaten by a global search."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import scipy.optimize

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.fits.objective import Objective
from rheojobs.inference.fits.task import fit
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.problem.weights import weights_of

CASES = [
    ("ps145_relaxation.csv", "maxwell", {}),
    ("ps145_relaxation.csv", "zener", {}),
    ("ps145_relaxation.csv", "fractional_maxwell_model", {}),
    ("fish_muscle_relaxation.csv", "zener", {}),
    ("fish_muscle_relaxation.csv", "fractional_maxwell_gel", {}),
    ("polyisoprene_483k_oscillation.csv", "fractional_maxwell_liquid", {}),
    ("polyisoprene_483k_oscillation.csv", "generalized_maxwell", {"n_modes": 4}),
    ("ethylcellulose_5pct_flow.csv", "carreau", {}),
    ("ethylcellulose_5pct_flow.csv", "cross", {}),
    ("ethylcellulose_5pct_flow.csv", "herschel_bulkley", {}),
    ("ps160_creep.csv", "maxwell", {}),
    ("ps160_creep.csv", "zener", {}),
    ("ps160_creep.csv", "fractional_burgers", {}),
]
TOLERANCE = 1e-3


def _residuals(problem: Problem, objective: Objective):
    """Give the weighted residuals of many points, (d, k) to (n, k), from the prediction alone."""
    seen, weights = problem.coarse_observations, weights_of(problem)
    y, sigma = seen.y[:, : seen.n], weights.sigma[:, : seen.n]
    to_params = objective.coordinates.to_params
    predict = jax.jit(jax.vmap(lambda u: problem.components(seen.x, to_params(u))))
    bad = 1e3 * np.abs(y).max()

    def residuals(u):
        curves = np.asarray(predict(np.atleast_2d(np.asarray(u).T)))[:, :, : seen.n]
        if weights.logarithmic:
            found = np.log(np.maximum(np.where(curves > 0, curves / y, 1e-10), 1e-10))
        else:
            found = np.where(np.isfinite(curves), (curves - y) / sigma, bad)
        return np.nan_to_num(found, nan=1e6).reshape(len(curves), -1).T

    return residuals


@pytest.mark.slow
@pytest.mark.parametrize(("file", "model", "config"), CASES)
def test_the_best_of_16_starts_is_not_beaten_by_a_global_search(
    shared_data, file: str, model: str, config
):
    data: Dataset = read(shared_data / file)
    data = data.thin(max(1, len(data) // 100))
    ours = fit(data, model, model_config=config, multi_start=16)

    problem = Problem.of(model, data, config)
    objective = Objective.of(problem)
    residuals = _residuals(problem, objective)
    coordinates = objective.coordinates
    bounds = list(zip(coordinates.widest.lower, coordinates.widest.upper, strict=True))
    found = scipy.optimize.differential_evolution(
        lambda points: np.sum(residuals(points) ** 2, axis=0),
        bounds,
        vectorized=True,
        updating="deferred",
        seed=1,
        maxiter=100,
        popsize=12,
        tol=1e-8,
        polish=False,
    )
    polished = scipy.optimize.least_squares(
        lambda u: residuals(u)[:, 0],
        np.clip(found.x, *np.array(bounds).T),
        bounds=tuple(np.array(bounds).T),
        x_scale="jac",
        max_nfev=500,
    )
    theirs = min(2.0 * polished.cost, found.fun)
    assert ours.chi_squared == pytest.approx(
        float(np.sum(residuals(coordinates.to_u(_own(ours, coordinates))) ** 2)), rel=1e-6
    )

    assert ours.chi_squared <= theirs * (1.0 + TOLERANCE)


def _own(result, coordinates):
    return np.array([result.parameters[item.name] for item in coordinates.own])


def test_each_minimum_is_listed_once_with_how_many_starts_ended_there(melt_data):
    result = fit(melt_data, "generalized_maxwell", model_config={"n_modes": 4}, multi_start=12)
    objectives = [minimum["objective"] for minimum in result.minima]
    assert objectives == sorted(objectives)
    assert objectives[0] == pytest.approx(result.chi_squared)
    assert result.minima[0]["parameters"] == pytest.approx(result.parameters)
    assert sum(minimum["starts"] for minimum in result.minima) == 12
    assert set(result.minima[0]["parameters"]) == set(result.parameters)
