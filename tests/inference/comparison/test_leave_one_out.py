"""Stacking and the errors of differences, held against formulas and SciPy."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize

from rheojobs.engine.local_context import local_context
from rheojobs.inference.comparison.leave_one_out import (
    Scored,
    ScoredSampling,
    _relative_efficiency,
    relate,
)
from rheojobs.inference.comparison.ranking import LooScore
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.sampling.task import SampleTask

pytestmark = pytest.mark.promise("right-or-refused")


def scored(pointwise: np.ndarray) -> Scored:
    loo = LooScore(float(pointwise.sum()), 0.0, 0.0, 0, 0.7, 0.1)
    return Scored(SimpleNamespace(), pointwise, loo)  # type: ignore[arg-type]


def test_stacking_ends_at_the_best_mixture():
    """Two thousand rounds once ended 0.02 short of it for models that hardly differ."""
    random = np.random.default_rng(0)
    common = random.normal(-1.0, 0.5, 60)
    rows = [common + 0.02 * random.normal(size=60) for _ in range(3)]
    found = relate({f"m{k}": scored(row) for k, row in enumerate(rows)})
    weights = np.array([found[f"m{k}"].weight for k in range(3)])
    assert weights.sum() == pytest.approx(1.0)
    density = np.exp(np.stack(rows))

    def score(shares):
        return -np.log(shares @ density).sum()

    best = optimize.minimize(
        score,
        np.full(3, 1 / 3),
        bounds=[(0.0, 1.0)] * 3,
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1.0},
        options={"ftol": 1e-14},
    )
    assert score(weights) <= best.fun + 1.1e-3


def test_the_error_of_a_difference_is_that_of_a_sum():
    """The square root of n times the variance of n values, of which one is lost to their mean."""
    one, other = scored(np.array([-1.0, -2.0, -3.0])), scored(np.array([-1.5, -2.0, -4.0]))
    found = relate({"one": one, "other": other})
    apart = np.array([-0.5, 0.0, -1.0])
    assert found["other"].difference == pytest.approx(-1.5)
    assert found["other"].difference_se == pytest.approx(math.sqrt(3 * 0.25))
    assert np.var(apart, ddof=1) == pytest.approx(0.25)


def test_the_efficiency_is_of_the_means_that_are_known():
    row = {"std": 1.0, "mcse_mean": 0.1}
    unknown = {"std": 1.0, "mcse_mean": math.nan}
    posterior = SimpleNamespace(summary={"a": row, "b": row | {"mcse_mean": 0.2}, "c": unknown})
    assert _relative_efficiency(posterior, 1000) == pytest.approx((100 + 25) / 2 / 1000)
    assert _relative_efficiency(SimpleNamespace(summary={"c": unknown}), 1000) == 1.0


def test_the_evidence_is_of_the_measured_quantity():
    """Of stresses or of viscosities, the same model is equally probable: p(σ) = p(η) dη/dσ."""
    rate = np.geomspace(0.1, 100.0, 20)
    stress = 5.0 * rate**0.6 * np.exp(0.05 * np.random.default_rng(0).standard_normal(rate.size))
    data = Dataset(rate, stress, "flow_curve", quantity="shear stress", y_unit="Pa")
    logs = []
    for quantity, power in (("stress", 0.0), ("viscosity", 1.0)):
        model = Model.from_function(
            lambda x, p, power=power: p[0] * x ** (p[1] - power),
            {"k": (1e-3, 1e3, 1.0), "n": (0.0, 1.0, 0.5)},
            "flow_curve",
            name=quantity,
        )
        counts = {"num_warmup": 200, "num_samples": 300, "num_chains": 4}
        task = SampleTask(
            replace(model, flow_quantity=quantity),
            data,
            **counts,
            likelihood="relative",
            checkpoint="",
        )
        with local_context() as context:
            logs.append(ScoredSampling(task).run(context).evidence)
    stresses, viscosities = logs
    gap = 4 * math.hypot(stresses.error, viscosities.error)
    assert stresses.log == pytest.approx(viscosities.log, abs=gap)
    assert gap < 0.1
    assert abs(np.log(rate).sum()) > 1.0  # which a forgotten factor would make
