"""The preview says what the draws will say, or that it cannot; and changes none of them."""

from __future__ import annotations

import time
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from tests.inference.helpers import decay_data, decay_model, run_until, same_draws

from rheojobs.engine.cancellation import CancellationError
from rheojobs.engine.local_context import local_context
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.results.diagnostics import QUANTILES
from rheojobs.inference.sampling import live_diagnostics
from rheojobs.inference.sampling.importance import preview as module
from rheojobs.inference.sampling.importance.mixture import Weighted
from rheojobs.inference.sampling.importance.modes import Modes
from rheojobs.inference.sampling.importance.preview import _summary, preview_of
from rheojobs.inference.sampling.run import Sampling
from rheojobs.inference.sampling.sample import sample
from rheojobs.inference.sampling.task import SampleTask

pytestmark = pytest.mark.promise("right-or-refused")

COUNTS = {"num_warmup": 300, "num_samples": 500, "num_chains": 2, "checkpoint": ""}


def previews(model: Model, data: Dataset, **settings: object):
    """Sample; return the reports with a preview, those with draws, and the result."""
    reports = []
    result = sample(data, model, callback=reports.append, **COUNTS | settings)
    with_preview = [each.metrics for each in reports if "preview" in each.metrics]
    with_draws = [each.metrics for each in reports if "r_hat" in each.metrics]
    return with_preview, with_draws, result


def test_its_numbers_are_those_of_the_draws():
    reports, _, result = previews(decay_model(), decay_data(), num_samples=2000)
    preview = reports[0]["preview"]
    assert preview["k"] <= 0.7
    assert (
        preview["words"] == f"preview: importance sampling at the maximum, k̂ = {preview['k']:.2f}"
    )
    assert list(preview["summary"]) == list(result.summary)
    for name, row in preview["summary"].items():
        drawn = result.summary[name]
        assert set(row) == {"mean", "std", "q05", "q95"}
        assert abs(row["mean"] - drawn["mean"]) < 0.2 * drawn["std"]
        assert row["std"] == pytest.approx(drawn["std"], rel=0.15)
        for level in ("q05", "q95"):
            assert abs(row[level] - drawn[level]) < 0.3 * drawn["std"]
    assert QUANTILES["q05"] == module.LEVELS["q05"]


@pytest.mark.parametrize("width", [0.5, 0.05])
def test_an_unreliable_one_shows_no_numbers(width):
    """About a narrow ridge that is a parabola; if it is very narrow, k̂ alone would not show it."""
    model = Model.from_function(
        lambda x, p: (p[1] - 2.0 * p[0] ** 2) / width + 0.0 * x,
        {"a": (-1e6, 1e6, 0.5), "b": (-1e6, 1e6, 0.5)},
        "relaxation",
        name="banana",
    )
    wide = {"type": "normal", "loc": 0.0, "scale": 2.0}
    data = Dataset(np.ones(1), np.zeros(1), "relaxation", sigma=np.ones(1))
    reports, _, _ = previews(model, data, priors={"a": wide, "b": wide})
    preview = reports[0]["preview"]
    assert (preview["k"] > 0.7) == (width == 0.5)
    assert preview["summary"] == {}
    assert preview["words"].startswith("no reliable preview: importance sampling")


def test_of_two_maxima_it_is_of_both():
    """Both signs of p suit the data; the moments are those of quadrature."""
    x = np.linspace(0.1, 2.0, 30)
    y = x + 0.05 * np.random.default_rng(3).standard_normal(x.size)
    data = Dataset(x, y, "relaxation", sigma=np.full(x.size, 0.05))
    model = Model.from_function(
        lambda x, p: (p[0] ** 2 + 0.02 * p[0]) * x, {"p": (-3.0, 3.0, 1.0)}, "relaxation"
    )
    reports, _, _ = previews(model, data)
    grid = np.linspace(-3.0, 3.0, 100_001)
    misfit = (y[:, None] - (grid**2 + 0.02 * grid) * x[:, None]) / 0.05
    weights = np.exp(-0.5 * (misfit**2).sum(axis=0))
    mean = np.average(grid, weights=weights)
    deviation = np.sqrt(np.average((grid - mean) ** 2, weights=weights))
    found = reports[0]["preview"]
    assert "at the maxima" in found["words"]
    assert found["summary"]["p"]["mean"] == pytest.approx(mean, abs=0.1)
    assert found["summary"]["p"]["std"] == pytest.approx(deviation, rel=0.05)


def test_equal_terms_are_in_order():
    x = np.linspace(0.05, 6.0, 40)
    clean = np.exp(-x / 0.5) + np.exp(-x / 3.0)
    y = clean + 0.02 * np.random.default_rng(5).standard_normal(x.size)
    data = Dataset(x, y, "relaxation", sigma=np.full(x.size, 0.02))
    bounds = {"tau_1": (0.01, 100.0, 5.0), "tau_2": (0.01, 100.0, 0.3)}
    model = Model.from_function(
        lambda x, p: jnp.exp(-x / p[0]) + jnp.exp(-x / p[1]), bounds, "relaxation"
    )
    reports, _, result = previews(replace(model, modes=(("tau_1",), ("tau_2",))), data)
    for name, row in reports[0]["preview"]["summary"].items():
        assert abs(row["mean"] - result.summary[name]["mean"]) < 0.2 * row["std"]


def test_of_a_long_tail_there_are_only_quantiles():
    """Of a Pareto distribution with an exponent of 0.8 there is neither a mean nor a deviation."""
    random = np.random.default_rng(0)
    values = np.stack([random.standard_normal(1000), random.pareto(0.8, 1000)], axis=1)
    points = Weighted(values, np.zeros(1000), -0.5)
    found = _summary(points, lambda sites: {"a": sites[:, 0], "b": sites[:, 1]})
    assert found["a"]["mean"] == pytest.approx(values[:, 0].mean())
    assert found["a"]["q95"] == pytest.approx(np.quantile(values[:, 0], 0.95), rel=0.01)
    assert np.isnan([found["b"]["mean"], found["b"]["std"]]).all()
    assert found["b"]["q95"] == pytest.approx(np.quantile(values[:, 1], 0.95), rel=0.05)


def test_it_is_reported_at_once_and_with_the_chains_until_draws_replace_it(monkeypatch):
    reports, _, _ = previews(decay_model(), decay_data())
    assert "chains" not in reports[0]
    assert "chains" in reports[1]  # the diagnostics of the draws come after a second
    monkeypatch.setattr(live_diagnostics, "INTERVAL", 0.0)
    monkeypatch.setattr(live_diagnostics, "MAX_SHARE", 1.0)
    _, drawn, _ = previews(decay_model(), decay_data(), num_samples=4000)
    assert drawn
    assert not any("preview" in metrics for metrics in drawn)


def test_it_does_not_change_the_draws_and_is_not_made_for_nobody(monkeypatch):
    made = []

    def counted(*args):
        made.append(1)
        return preview_of(*args)

    monkeypatch.setattr("rheojobs.inference.sampling.run.preview_of", counted)
    silent = sample(decay_data(), decay_model(), **COUNTS)
    assert made == []
    *_, heard = previews(decay_model(), decay_data())
    assert made == [1]
    assert same_draws(silent, heard)


def test_a_sampling_with_a_preview_can_be_cancelled(tmp_path):
    task = SampleTask(decay_model(), decay_data(), **COUNTS | {"checkpoint": tmp_path / "c"})
    began = time.monotonic()
    run_until(task, lambda progress: "preview" in progress.metrics)
    assert time.monotonic() - began < 60


def test_it_stops_when_asked():
    def check():
        raise CancellationError

    with local_context() as context:
        task = SampleTask(decay_model(), decay_data(), checkpoint="")
        task.validate()
        problem = Problem.of(task.model, task.dataset, {}, {})
        posterior, starts, _ = Sampling(task.settings(), problem, context)._place(None)
    with pytest.raises(CancellationError):
        preview_of(Modes.of(posterior, starts), lambda sites: {}, 0, check)


def test_an_error_in_it_is_no_error_of_the_sampling(monkeypatch):
    def fail(*args):
        raise ValueError("no points")

    monkeypatch.setattr(module, "weighted_points", fail)
    reports, _, result = previews(decay_model(), decay_data())
    assert reports == []
    assert result.num_samples == 500


@pytest.mark.alone
def test_once_compiled_it_takes_less_than_30_ms(melt_data):
    pytest.importorskip("rheojax")
    configure_jax()
    task = SampleTask("fractional_maxwell_liquid", melt_data, checkpoint="")
    task.validate()
    with local_context() as context:
        problem = Problem.of(task.model, task.dataset, {}, {})
        posterior, starts, _ = Sampling(task.settings(), problem, context)._place(None)
    modes = Modes.of(posterior, starts)

    def named(sites):
        return dict(zip(posterior.sites, sites.T, strict=True))

    took = []
    for seed in range(7):
        began = time.perf_counter()
        found = preview_of(modes, named, seed, lambda: None)
        took.append(time.perf_counter() - began)
        assert found["preview"]["summary"]
    assert sorted(took)[3] < 0.03
