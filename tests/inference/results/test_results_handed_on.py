"""A sampling in the queue takes its fit's parameters as its warm start."""

from __future__ import annotations

import numpy as np
import pytest

from rheojobs import FitTask, JobEngine, Model, ResultOf, SampleTask


def decay(x, p):
    """An exponential decay."""
    import jax.numpy as jnp

    return p[0] * jnp.exp(-x / p[1])


@pytest.mark.slow
def test_a_sampling_starts_where_the_fit_before_it_ended() -> None:
    x = np.linspace(0.1, 5.0, 40)
    y = 3.0 * np.exp(-x / 1.7) * (1.0 + 0.01 * np.random.default_rng(1).standard_normal(40))
    model = Model.from_function(
        decay, {"a": (0.1, 10.0), "tau": (0.1, 10.0)}, test_modes="relaxation"
    )
    with JobEngine("threads", max_workers=2) as engine:
        fit = engine.submit(FitTask(model, (x, y)))
        task = SampleTask(
            model,
            (x, y),
            num_warmup=50,
            num_samples=50,
            num_chains=1,
            warm_start=ResultOf(fit, "parameters"),
            checkpoint="",
        )
        sampling = engine.submit(task)
        result = sampling.result(240)
        found = fit.result(0).parameters
    assert sampling.after == (fit,)
    assert sampling.task.warm_start == found
    assert result.summary["tau"]["mean"] == pytest.approx(found["tau"], rel=0.05)
