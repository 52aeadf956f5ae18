"""Profile intervals: known answers, coverage, ends that do not close, progress and cancelling."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from tests.inference.helpers import decay_data, decay_model

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import FitTask, fit
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.fit_result import FitResult

pytestmark = pytest.mark.promise("right-or-refused")

LINE = Model.from_function(
    lambda x, p: p[0] + p[1] * x, {"a": (-1e3, 1e3), "b": (-1e3, 1e3)}, test_modes="relaxation"
)


def line_data(sigma: float | None = None, seed: int = 0) -> Dataset:
    x = np.linspace(0.1, 5.0, 20)
    y = 2.0 + 3.0 * x + 0.5 * np.random.default_rng(seed).standard_normal(20)
    return Dataset(x, y, "relaxation", sigma=None if sigma is None else np.full(20, sigma))


@pytest.mark.parametrize("sigma", [None, 0.5])
def test_for_a_straight_line_they_are_the_textbook_intervals(sigma):
    result = fit(line_data(sigma), LINE, weights=None if sigma else "uniform", intervals="profile")
    factor = stats.norm.ppf(0.975) if sigma else stats.t.ppf(0.975, 18)
    for name, value in result.parameters.items():
        half = factor * result.uncertainties[name]
        low, high = result.intervals[name]
        assert (value - low, high - value) == pytest.approx((half, half), rel=0.01)
    assert result.interval_notes == {}


def test_they_cover_the_truth():
    inside = sum(
        low < 1.5 < high
        for low, high in (
            fit(
                decay_data(40, seed), decay_model(), weights="uniform", intervals="profile"
            ).intervals["tau"]
            for seed in range(60)
        )
    )
    assert inside >= 51  # 57 are expected; 3.5 standard deviations of a binomial


def test_an_end_that_does_not_close_is_said():
    t = np.linspace(0.001, 0.01, 30)  # far too short to see the relaxation
    noise = 1 + 0.01 * np.random.default_rng(3).standard_normal(30)
    result = fit(
        Dataset(t, 1e4 * noise, "relaxation"),
        decay_model(),
        weights="uniform",
        intervals="profile",
    )
    low, high = result.intervals["tau"]
    assert high == 1e6  # its bound
    assert low > 1e-3
    assert "upper end" in result.interval_notes["tau"]
    assert any(text.startswith("tau: the upper end") for text in result.warnings)
    low, high = result.intervals["G0"]
    assert low < result.parameters["G0"] < high


def test_a_fixed_parameter_has_no_interval():
    result = fit(decay_data(), decay_model(), fixed={"tau": 1.5}, intervals="profile")
    assert list(result.intervals) == ["G0"]


def test_a_lower_minimum_that_a_profile_finds_is_taken():
    model = Model.from_function(
        lambda x, p: p[1] * (1.0 + 0.2 * jnp.cos(3.0 * p[0])) + (p[0] - 2.0) * 0.05 + 0.0 * x,
        {"shift": (-3.0, 3.0), "level": (0.5, 2.0)},
        test_modes="relaxation",
    )
    data = Dataset(np.linspace(1.0, 2.0, 12), np.linspace(0.9, 1.1, 12), "relaxation")
    result = fit(data, model, initial_params={"shift": -2.9, "level": 0.6}, intervals="profile")
    assert result.success
    assert result.minima[0]["objective"] == pytest.approx(result.objective)


def test_progress_names_the_profile_and_a_cancel_keeps_the_fit(melt_data):
    token, partial, seen = CancellationToken(), [], []

    def watch(progress: Progress) -> None:
        if progress.stage == "intervals":
            seen.append(progress)
            token.cancel()

    options = {"intervals": "profile", "model_config": {"n_modes": 5}}
    task = FitTask("generalized_maxwell", melt_data, None, options)
    with (
        pytest.raises(CancellationError),
        local_context(watch, token, partial.append) as context,
    ):
        task.run(context)
    assert seen[0].message.startswith("profile of G_")
    assert seen[0].current < seen[0].total == 22
    (kept,) = partial
    assert isinstance(kept, FitResult)
    assert kept.success
    assert kept.intervals == {}
