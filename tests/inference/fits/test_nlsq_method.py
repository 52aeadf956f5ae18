"""Fits by the library NLSQ: the same minima, results, progress and cancel."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.local_context import local_context
from rheojobs.errors import MissingExtraError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import FitTask, fit
from rheojobs.inference.models.model import Model

pytest.importorskip("nlsq")


def relaxation(n=60, seed=0):
    t = np.geomspace(1e-2, 1e2, n)
    noise = np.random.default_rng(seed).standard_normal(n)
    return Dataset(t, 1e5 * np.exp(-t / 30.0 + 0.02 * noise), "relaxation")


def viscosity(seed=0):
    rate = np.geomspace(1e-3, 1e3, 60)
    noise = np.random.default_rng(seed).standard_normal(60)
    y = 0.1 + 99.9 * (1.0 + (2.0 * rate) ** 2) ** -0.35
    return Dataset(
        rate, y * np.exp(0.03 * noise), "flow_curve", quantity="viscosity", y_unit="Pa s"
    )


def moduli(seed=0):
    w = np.geomspace(1e-2, 1e2, 50)
    g = 1e3 + 1e4 * 1j * w / (1.0 + 1j * w)
    one, two = 0.02 * np.random.default_rng(seed).standard_normal((2, 50))
    return Dataset(w, g.real * np.exp(one) + 1j * g.imag * np.exp(two), "oscillation")


CASES = {
    "maxwell": (relaxation(), {}),
    "carreau": (viscosity(), {}),
    "carreau, n held": (viscosity(), {"fixed": {"n": 0.3}}),
    "carreau, bounded": (viscosity(), {"bounds": {"lambda_": (0.5, 1.5)}}),
    "zener": (moduli(), {}),
    "zener, uniform": (moduli(), {"weights": "uniform"}),
    "zener, robust": (moduli(), {"loss": "soft_l1"}),
}


@pytest.mark.parametrize("name", CASES)
def test_it_finds_the_same_minimum(name):
    data, options = CASES[name]
    model = name.partition(",")[0]
    ours, theirs = (fit(data, model, method=each, **options) for each in ("lm", "nlsq"))
    assert theirs.success
    assert theirs.message.startswith("NLSQ")
    assert theirs.objective == pytest.approx(ours.objective, rel=1e-8)
    for parameter, value in ours.parameters.items():
        assert theirs.parameters[parameter] == pytest.approx(value, rel=1e-6)
        error = ours.uncertainties[parameter]
        assert theirs.uncertainties[parameter] == pytest.approx(error, rel=1e-4)
    assert theirs.r_squared == pytest.approx(ours.r_squared, abs=1e-9)
    assert (theirs.bounds, theirs.fixed) == (ours.bounds, ours.fixed)


def test_it_tells_its_progress_and_can_be_cancelled():
    reports = []
    fit(relaxation(), "maxwell", method="nlsq", callback=reports.append)
    losses = [report.metrics["loss"] for report in reports if "loss" in report.metrics]
    assert len(losses) > 1
    assert losses[-1] == min(losses)

    token, kept = CancellationToken(), []

    def cancel(progress):
        if "loss" in progress.metrics:
            token.cancel()

    with (
        pytest.raises(CancellationError),
        local_context(cancel, token, kept.append) as context,
    ):
        FitTask("maxwell", relaxation(seed=1), None, {"method": "nlsq"}).run(context)
    assert kept
    assert not kept[-1].success


def test_threads_take_turns():
    data = [relaxation(seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: fit(each, "maxwell", method="nlsq"), data))
    for each, found in zip(data, together, strict=True):
        assert found.parameters == fit(each, "maxwell", method="nlsq").parameters


def test_too_few_evaluations_are_said():
    result = fit(viscosity(), "carreau", method="nlsq", max_iter=2)
    assert not result.success
    assert any("did not converge" in words for words in result.warnings)


def test_new_data_of_a_length_compile_nothing(caplog):
    import jax

    fit(relaxation(seed=2), "maxwell", method="nlsq")
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **_: compiled.append(name) if "backend_compile" in name else None
    )
    fit(relaxation(n=55, seed=3), "maxwell", method="nlsq")
    assert compiled == []


def test_without_the_library_one_line_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nlsq", None)
    model = Model.from_function(lambda x, p: p[0] * x, {"p": (0.0, 10.0)}, "relaxation", name="own")
    with pytest.raises(MissingExtraError, match=r"rheojobs\[rheology\]"):
        fit(([1.0, 2.0, 3.0], [1.0, 2.1, 2.9]), model, method="nlsq", test_mode="relaxation")


def test_many_data_have_the_same_minimum():
    """Without NLSQ's own pieces, which allow a parameter to be one percent off."""
    rng = np.random.default_rng(1)
    x = np.logspace(-2, 1.5, 20_000)
    y = 1e3 * np.exp(-x / 10.0) * np.exp(0.03 * rng.standard_normal(len(x)))
    options = {"test_mode": "relaxation", "weights": "relative"}
    theirs = fit((x, y), "maxwell", method="nlsq", **options)
    ours = fit((x, y), "maxwell", **options)
    assert theirs.parameters == pytest.approx(ours.parameters, rel=1e-6)
    assert theirs.objective == pytest.approx(ours.objective, rel=1e-9)
