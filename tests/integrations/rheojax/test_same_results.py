"""Fits and posteriors on our engine are those of RheoJAX's own functions, on measured data."""

from __future__ import annotations

import importlib.util
import queue
import threading
from collections.abc import Iterator

import numpy as np
import pytest

if importlib.util.find_spec("rheojax") is None:
    pytest.skip("RheoJAX is not installed", allow_module_level=True)

from rheojobs.inference.data.reading.read import read
from rheojobs.integrations.rheojax.conversions import FitCall, SampleCall, rheojax_weights
from rheojobs.integrations.rheojax.running import Runner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

NEVER = threading.Event()
POINTS = 60


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner(workers=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def measured(shared_data):
    def measure(name: str, mode: str) -> dict[str, object]:
        data = read(shared_data / name, mode=mode)
        order = np.argsort(data.x)
        x, y = data.x[order], data.y[order]
        keep = np.unique(np.linspace(0, x.size - 1, POINTS).astype(int))
        return {"x_data": x[keep], "y_data": y[keep], "test_mode": mode}

    return measure


def objective(weights: str, y: np.ndarray, curve: np.ndarray) -> float:
    """Compute RheoJAX's sum of squares by NumPy."""
    parts = [(y.real, curve.real), (y.imag, curve.imag)] if np.iscomplexobj(y) else [(y, curve)]
    if weights == "relative":
        return sum(float(np.sum(np.log10(np.abs(c) / np.abs(s)) ** 2)) for s, c in parts)
    if weights == "uniform":
        return sum(float(np.sum((c - s) ** 2)) for s, c in parts)
    return sum(float(np.sum((c / s - 1) ** 2)) for s, c in parts)


@pytest.mark.parametrize(
    ("model", "file", "mode", "config"),
    [
        ("maxwell", "ps145_relaxation.csv", "relaxation", {}),
        ("zener", "ps160_creep.csv", "creep", {}),
        ("generalized_maxwell", "ps145_relaxation.csv", "relaxation", {"n_modes": 2}),
        ("herschel_bulkley", "ethylcellulose_5pct_flow.csv", "flow_curve", {}),
        ("zener", "polyisoprene_483k_oscillation.csv", "oscillation", {}),
    ],
)
def test_a_fit_is_at_least_as_good(runner, measured, model, file, mode, config):
    from rheojax.gui.jobs.subprocess_fit import run_fit_isolated

    data = measured(file, mode)
    call = FitCall(model_name=model, model_config=config, **data)
    ours = runner.fit(call, lambda _: None, NEVER)
    theirs = run_fit_isolated(
        model,
        *data.values(),
        initial_params={},
        options={},
        progress_queue=queue.Queue(),
        cancel_event=NEVER,
        model_config=config,
    )
    weights = rheojax_weights(model, mode, data["x_data"])
    reached = [objective(weights, data["y_data"], found["y_fit"]) for found in (ours, theirs)]
    assert reached[0] <= reached[1] * (1 + 1e-9)
    if reached[1] <= reached[0] * (1 + 1e-6):  # which RheoJAX reached, too
        errors = dict(zip(ours["parameters"], ours["uncertainties"], strict=True))
        for name, value in theirs["parameters"].items():
            # Theirs stops when the objective changes by 1e-6, early along a valley.
            near = max(1e-3 * abs(value), 0.1 * errors[name])
            assert ours["parameters"][name] == pytest.approx(value, abs=near), name
        assert ours["r_squared"] == pytest.approx(theirs["r_squared"], abs=1e-3)
        assert ours["chi_squared"] == pytest.approx(theirs["chi_squared"], rel=1e-2)
        assert ours["mpe"] == pytest.approx(theirs["mpe"], rel=1e-2)


@pytest.mark.parametrize(
    ("model", "file", "mode"),
    [
        ("maxwell", "ps145_relaxation.csv", "relaxation"),
        ("fractional_maxwell_liquid", "polyisoprene_483k_oscillation.csv", "oscillation"),
    ],
)
def test_a_posterior_is_the_same(runner, measured, model, file, mode):
    """Within five Monte Carlo standard errors, with the priors of the editor."""
    from rheojax.gui.foundation.priors import map_centered_priors
    from rheojax.gui.jobs.subprocess_bayesian import run_bayesian_isolated

    data = measured(file, mode)
    best = runner.fit(FitCall(model_name=model, **data), lambda _: None, NEVER)
    settings = {
        "num_warmup": 500,
        "num_samples": 2000,
        "num_chains": 2,
        "warm_start": best["parameters"],
        "priors": map_centered_priors(best["parameters"]),
        "seed": 1,
        "target_accept": 0.9,
    }
    ours = runner.sample(SampleCall(model_name=model, **data, **settings), lambda _: None, NEVER)
    theirs = run_bayesian_isolated(
        model, *data.values(), **settings, progress_queue=queue.Queue(), cancel_event=NEVER
    )
    draws = theirs["posterior_samples"]
    assert set(ours["posterior_samples"]) == set(draws)
    for name, values in draws.items():
        mine = ours["posterior_samples"][name]
        error = np.hypot(
            mine.std() / np.sqrt(ours["ess"][name]),
            np.std(values) / np.sqrt(max(float(theirs["ess"].get(name, 100)), 10)),
        )
        assert abs(mine.mean() - np.mean(values)) < 5 * error, name
        assert mine.std() == pytest.approx(float(np.std(values)), rel=0.25), name
    low, high = ours["y_band"]
    their_low, their_high = theirs["y_band"]  # 94 % of 50 curves, where ours is 95 % of 250
    width = np.abs(np.asarray(their_high) - np.asarray(their_low))
    assert 0.5 < np.median(np.abs(high - low) / width) < 2.0
