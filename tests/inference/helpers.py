"""A small model, its data, and what stops a sampling; importable by worker processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from rheojobs.engine.cancellation import CancellationError, CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.models.model import Model
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.sampling.task import SampleTask

BOUNDS = {"G0": (1e-3, 1e9, 1e3), "tau": (1e-6, 1e6, 1.0)}


def decay(x, params):
    """Relax with one time."""
    import jax.numpy as jnp

    return params[0] * jnp.exp(-x / params[1])


def decay_model() -> Model:
    """The function as a model."""
    return Model.from_function(decay, BOUNDS, test_modes="relaxation")


def decay_data(n: int = 40, seed: int = 0) -> Dataset:
    """Data of it, with constant noise."""
    t = np.linspace(0.05, 5.0, n)
    noise = 300.0 * np.random.default_rng(seed).standard_normal(n)
    return Dataset(t, 2e4 * np.exp(-t / 1.5) + noise, "relaxation")


def same_draws(one: BayesianResult, other: BayesianResult) -> bool:
    """Whether two results hold the same draws, to the bit."""
    assert one.posterior_samples.keys() == other.posterior_samples.keys()
    return all(
        np.array_equal(draws, other.posterior_samples[name])
        for name, draws in one.posterior_samples.items()
    )


def run_until(task: SampleTask, stop: Callable[[Progress], bool]) -> BayesianResult | None:
    """Run a sampling and cancel it at the first report that `stop` wants; gives what it kept."""
    token = CancellationToken()
    kept: list[Any] = []

    def watch(progress: Progress) -> None:
        if stop(progress):
            token.cancel()

    with (
        contextlib.suppress(CancellationError),
        local_context(watch, token, kept.append) as context,
    ):
        task.run(context)
    return kept[-1] if kept else None


CONSTANTS = {"gamma_dot": 2.0, "sigma_applied": 10.0, "gamma_0": 0.1, "omega": 1.0, "sigma_0": 50.0}


def constants_of(mode: str) -> dict[str, float]:
    return {name: CONSTANTS[name] for name in MODE_CONSTANTS[mode]}


def in_new_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return done.stdout
