"""The band of a posterior's curves: quantiles of the predictions, also of a stopped sampling."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from tests.inference.helpers import BOUNDS, decay, decay_data, decay_model, run_until

from rheojobs.engine.events import Progress
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.task import SampleTask

FEW = {"num_warmup": 200, "num_samples": 500, "num_chains": 2, "checkpoint": ""}


def curves(result: BayesianResult) -> np.ndarray:
    """Return the model's curve at each draw, (draws, n), by NumPy."""
    draws = result.posterior_samples
    return draws["G0"][:, None] * np.exp(-decay_data().x / draws["tau"][:, None])


def assert_quantiles(result: BayesianResult) -> None:
    """Hold the band against the quantiles of all curves: it is of 250 of them."""
    band, expected = result.curve_band, curves(result)
    assert band is not None
    np.testing.assert_array_equal(band["x"], decay_data().x)
    spread = expected.std(axis=0)
    for name, level in (("low", 0.025), ("median", 0.5), ("high", 0.975)):
        off = (band[name] - np.quantile(expected, level, axis=0)) / spread
        assert np.abs(off).max() < 0.7, name  # the error of such a quantile is 0.17
    assert (band["low"] < band["high"]).all()


def has_draws(progress: Progress) -> bool:
    return progress.stage == "sampling" and progress.current > 4000


def test_with_and_without_predictions_the_band_is_the_same():
    whole = sample(decay_data(), decay_model(), **FEW)
    assert_quantiles(whole)
    assert whole.inference_arrays.predictions is not None
    light = sample(decay_data(), decay_model(), keep_predictions=False, **FEW)
    assert light.inference_arrays.predictions is None
    assert "posterior_predictive" not in light.inference_data.children
    for name, values in whole.curve_band.items():
        np.testing.assert_allclose(light.curve_band[name], values, rtol=1e-12)


def test_a_stopped_sampling_has_a_band(tmp_path):
    task = SampleTask(
        decay_model(), decay_data(), num_warmup=200, num_samples=100_000, checkpoint=""
    )
    kept = run_until(task, has_draws)
    assert kept.is_partial
    assert_quantiles(kept)
    kept.save(tmp_path / "kept.json")
    loaded = BayesianResult.load(tmp_path / "kept.json")
    np.testing.assert_array_equal(loaded.curve_band["low"], kept.curve_band["low"])


def test_moduli_are_banded_each():
    omega = np.logspace(-1, 1, 20)
    y = (1 + 2j) * np.sqrt(omega) * (1 + 0.01 * np.random.default_rng(0).standard_normal(20))
    model = Model.from_function(
        lambda w, p: (p[0] + 1j * p[1]) * w**0.5,
        {"a": (0.1, 10.0), "b": (0.1, 10.0)},
        test_modes="oscillation",
        name="two_roots",
    )
    band = sample({"x": omega, "y": y}, model, test_mode="oscillation", **FEW).curve_band
    np.testing.assert_allclose(band["median"].real, np.sqrt(omega), rtol=0.05)
    np.testing.assert_allclose(band["median"].imag, 2 * np.sqrt(omega), rtol=0.05)
    assert (band["low"].imag < band["high"].imag).all()


def test_a_cancellation_need_not_wait_for_a_compilation():
    """All programs that a partial result needs are compiled before the first draw."""
    compiled: list[str] = []
    drawing = False

    def note(event: str, _seconds: float, **facts: object) -> None:
        if drawing and event.endswith("backend_compile_duration"):
            compiled.append(str(facts.get("fun_name")))

    def stop(progress: Progress) -> bool:
        nonlocal drawing
        drawing = progress.stage in ("warmup", "sampling")
        return has_draws(progress)

    model = Model.from_function(decay, BOUNDS, test_modes="relaxation", name="never_seen")
    task = SampleTask(model, decay_data(n=37), num_warmup=200, num_samples=100_000, checkpoint="")
    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        kept = run_until(task, stop)
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
    assert kept.curve_band is not None
    assert compiled == []


@pytest.mark.parametrize(("depth", "most"), [(1, 1), (3, 7)])
def test_trajectories_end_at_the_depth_that_is_wanted(depth, most):
    task = SampleTask(decay_model(), decay_data(), max_tree_depth=depth, **FEW)
    result = sample(decay_data(), decay_model(), max_tree_depth=depth, **FEW)
    assert task.max_tree_depth == depth
    assert result.inference_arrays.stats["n_steps"].max() == most
