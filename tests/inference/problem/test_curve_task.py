"""Curves at given values, as a window asks for them while a parameter is dragged."""

from __future__ import annotations

import numpy as np
import pytest

from rheojobs import Dataset
from rheojobs.engine.local_context import local_context
from rheojobs.inference.problem.curve_task import MOST_POINTS, CurveTask, thinned


def data(n: int) -> Dataset:
    t = np.linspace(0.1, 10.0, n)
    return Dataset(t[::-1], np.exp(-t[::-1]), "relaxation", sigma=0.1 * t[::-1])


def run(task: CurveTask) -> tuple[np.ndarray, np.ndarray]:
    with local_context() as context:
        return task.run(context)


def test_the_curve_is_the_models_over_ascending_x() -> None:
    x, y = run(CurveTask("G0*exp(-t/tau)", data(30), {"G0": 2e4, "tau": 3.0}))
    assert np.all(np.diff(x) > 0)
    assert y.shape == (1, 30)
    np.testing.assert_allclose(y[0], 2e4 * np.exp(-x / 3.0))


def test_missing_values_are_defaults_and_strange_names_do_not_matter() -> None:
    x, y = run(CurveTask("G0*exp(-t/tau)", data(5), {"tau": 2.0, "noise": 1.0}))
    np.testing.assert_allclose(y[0] / y[0][0], np.exp(-(x - x[0]) / 2.0))


def test_moduli_have_two_components() -> None:
    omega = np.logspace(-2, 2, 20)
    sweep = Dataset(omega, omega + 1j * omega, "oscillation")
    _, y = run(CurveTask("G0*i*omega*tau/(1 + i*omega*tau)", sweep, {"G0": 1e3, "tau": 1.0}))
    np.testing.assert_allclose(y[0] + 1j * y[1], 1e3 * 1j * omega / (1 + 1j * omega))


@pytest.mark.parametrize("n", [1, MOST_POINTS, MOST_POINTS + 1, 40_000])
def test_many_points_are_thinned_evenly(n: int) -> None:
    whole = data(n)
    few = thinned(whole)
    assert len(few) == min(n, MOST_POINTS)
    assert few.x[0] == whole.x[0]
    assert few.x[-1] == whole.x[-1]
    assert few.test_mode == "relaxation"
    assert few.sigma is not None
    np.testing.assert_allclose(few.sigma, 0.1 * few.x)
