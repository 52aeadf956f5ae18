"""Fits of many data, against SciPy's, and against the same data in one piece."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from scipy.optimize import least_squares

from rheojobs import fit
from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.local_context import local_context
from rheojobs.inference.fits.least_squares import large_data
from rheojobs.inference.fits.least_squares.large_data import PIECE, Pieces
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.problem import observations

N = PIECE + 5000
NOISE = 0.03


def relaxation(n: int = N):
    rng = np.random.default_rng(1)
    x = np.logspace(-2, 1.5, n)
    return x, 1e3 * np.exp(-x / 10.0) * np.exp(NOISE * rng.standard_normal(n))


def oscillation(n: int = N):
    rng = np.random.default_rng(2)
    x = np.logspace(-2, 2, n)
    moduli = 1e3 * 1j * x / (1j * x + 0.1)
    noise = np.exp(NOISE * rng.standard_normal((2, n)))
    return x, moduli.real * noise[0] + 1j * moduli.imag * noise[1]


def logarithmic(p, x, y):
    return np.log(p[0]) - x * p[0] / p[1] - np.log(y)


def test_estimates_and_errors_are_scipys():
    x, y = relaxation()
    found = fit((x, y), "maxwell", test_mode="relaxation", weights="relative")
    theirs = least_squares(logarithmic, (900.0, 9e3), args=(x, y), x_scale="jac", xtol=1e-15)
    assert found.success
    values = [found.parameters[name] for name in ("G0", "eta")]
    np.testing.assert_allclose(values, theirs.x, rtol=1e-7)
    variance = 2 * theirs.cost / (N - 2)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(theirs.jac.T @ theirs.jac)))
    np.testing.assert_allclose([found.uncertainties[n] for n in ("G0", "eta")], errors, rtol=1e-5)
    np.testing.assert_allclose(found.objective, 2 * theirs.cost, rtol=1e-10)
    np.testing.assert_allclose(found.fitted, values[0] * np.exp(-x * values[0] / values[1]))
    np.testing.assert_allclose(found.fitted + found.residuals, y)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_an_oscillation_has_the_minimum_of_both_moduli(order):
    x, y = oscillation()
    if order == "shuffled":
        mixed = np.random.default_rng(3).permutation(len(x))
        x, y = x[mixed], y[mixed]
    found = fit((x, y), "maxwell", test_mode="oscillation")

    def residuals(p):
        moduli = p[0] * 1j * x / (1j * x + p[0] / p[1])
        return np.log(np.concatenate([moduli.real / y.real, moduli.imag / y.imag]))

    theirs = least_squares(residuals, (900.0, 9e3), x_scale="jac", xtol=1e-15)
    np.testing.assert_allclose([found.parameters[n] for n in ("G0", "eta")], theirs.x, rtol=1e-7)
    assert abs(found.residual_correlation) < 5 / np.sqrt(2 * N)


@pytest.mark.parametrize(
    "options",
    [
        {"weights": "uniform"},
        {"weights": "relative", "loss": "huber"},
        {"weights": "sigma"},
        {"weights": "divided", "multi_start": 3},
        {"weights": "relative", "intervals": "profile"},
        {"weights": "relative", "intervals": "profile", "loss": "cauchy"},
        {"weights": "relative", "fixed": {"G0": 1000.0}},
        {"weights": "relative", "tied": {"eta": "10 * G0"}},
    ],
    ids=lambda options: " ".join(map(str, options.values())),
)
def test_pieces_change_nothing(monkeypatch, options):
    x, y = relaxation(12_000)
    data = {"x": x, "y": y, "sigma": NOISE * y}
    found = fit(data, "maxwell", test_mode="relaxation", **options)
    monkeypatch.setattr(observations, "LARGE", 10**6)
    whole = fit(data, "maxwell", test_mode="relaxation", **options)
    for name, value in whole.parameters.items():
        assert found.parameters[name] == pytest.approx(value, rel=1e-7)
        error = whole.uncertainties[name]
        assert found.uncertainties[name] == pytest.approx(error, rel=1e-5, nan_ok=True)
    for name, (lower, upper) in (whole.intervals or {}).items():
        assert found.intervals[name] == pytest.approx((lower, upper), rel=1e-5)
    same = ("r_squared", "mpe", "chi_squared", "aicc", "residual_correlation", "loss_scale")
    for name in same:
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-5, nan_ok=True)
    assert found.warnings == whole.warnings
    np.testing.assert_allclose(found.residuals, whole.residuals, atol=1e-4)


def test_a_read_only_memory_map_is_not_copied(tmp_path):
    x, y = relaxation()
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    maps = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"]
    task = FitTask("maxwell", tuple(maps), options={"test_mode": "relaxation"})
    dataset = task.checked_data()
    assert np.shares_memory(dataset.x, maps[0])
    assert np.shares_memory(dataset.y, maps[1])
    with local_context(None) as context:
        found = task.run(context)
    whole = fit((x, y), "maxwell", test_mode="relaxation")
    assert found.parameters == whole.parameters


def test_what_may_change_is_copied(tmp_path):
    x, y = relaxation(100)
    np.save(tmp_path / "x.npy", x)
    writeable = np.load(tmp_path / "x.npy", mmap_mode="r+")
    task = FitTask("maxwell", (writeable, y), options={"test_mode": "relaxation"})
    assert not np.shares_memory(task.checked_data().x, writeable)


def test_it_stops_in_time_and_hands_over_what_it_has():
    x, y = relaxation(4_000_000)
    task = FitTask("maxwell", (x, y), options={"test_mode": "relaxation", "weights": "relative"})
    task.validate()
    kept = []
    with local_context(lambda progress: None) as context:
        context.partial = kept.append
        asked = []

        def stop():
            time.sleep(0.15)
            asked.append(time.monotonic())
            context.token.cancel()

        threading.Thread(target=stop).start()
        with pytest.raises(CancellationError):
            task.run(context)
        assert time.monotonic() - asked[0] < 2.0
    assert not kept or kept[0].parameters["G0"] == pytest.approx(1000.0, rel=0.1)


@pytest.mark.parametrize("n", [9000, PIECE, PIECE + 1, 2 * PIECE + 77])
def test_pieces_hold_each_datum_once(n):
    x, y = relaxation(n)
    data = large_data.Data(
        x, y[None], np.broadcast_to(1.0, (1, n)), np.broadcast_to(1.0, n), *(0.0,) * 6
    )
    pieces = Pieces(data)
    parts = list(pieces)
    assert len(parts) == len(pieces)
    assert {part.x.shape for part in parts} == {(PIECE,)}
    np.testing.assert_array_equal(np.concatenate([p.x[: int(p.mask)] for p in parts]), x)
    np.testing.assert_array_equal(np.concatenate([p.y[0, : int(p.mask)] for p in parts]), y)
