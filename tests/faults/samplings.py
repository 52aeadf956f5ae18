"""What the campaign samples: real models, on data that make each step cost something.

Importable by worker processes.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from tests.inference.helpers import BOUNDS

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.sampling.task import SampleTask

__all__ = ["KINDS", "is_durable", "prepare", "sampling"]

KINDS = ("relaxation", "oscillation", "function")
"""Two by their model's name, which the store keeps, and one of a function, which it cannot."""

COUNTS = {"num_warmup": 300, "num_chains": 2}
DRAWS = {"relaxation": 1_000, "oscillation": 5_000, "function": 1_500}
"""Each chain's: some seconds of drawing, in which there are many checkpoints and a few faults."""


def is_durable(kind: str) -> bool:
    """Say whether a sampling of this kind can be taken up from the store alone."""
    return kind != "function"


def sampling(kind: str, folder: Path | str, scale: float = 1.0) -> SampleTask:
    """Make a sampling of some seconds.

    Parameters
    ----------
    kind : str
        One of `KINDS`; those of one kind have the same draws.
    folder : path
        Where it is kept while it runs.
    scale : float
        How many times as many draws.
    """
    generator = np.random.default_rng(KINDS.index(kind))
    x = np.linspace(0.05, 5.0, 40)
    noise = generator.standard_normal((2, x.size))
    draws = math.ceil(DRAWS[kind] * scale)
    common = {**COUNTS, "num_samples": draws, "checkpoint": str(folder)}
    if kind == "oscillation":
        wt = 1.5 * x
        y = 2e4 * (wt**0.6 + 1j * wt) / (1.0 + wt**2) + 200.0 * (noise[0] + 1j * noise[1])
        data = Dataset(x, y, "oscillation")
        # Stops where the draws are good, which the seed alone decides; never that good, here.
        wanted = {"until_ess": 1e7, "max_samples": draws}
        return SampleTask("fractional_maxwell_model", data, **{**common, **wanted}, seed=3)
    data = Dataset(x, 2e4 * np.exp(-x / 1.5) + 300.0 * noise[0], "relaxation")
    if kind == "relaxation":
        return SampleTask("fractional_maxwell_liquid", data, **common, seed=1)
    model = Model.from_function(slow_decay, BOUNDS, test_modes="relaxation")
    return SampleTask(model, data, **common, seed=2)


def slow_decay(x, params):
    """Relax with one time, and take one's own."""
    import jax
    import jax.numpy as jnp

    def again(value, _):
        return value / jnp.sqrt(jnp.exp(0.0 * value)), None  # by one

    decayed = params[0] * jnp.exp(-x / params[1])
    return jax.lax.scan(again, decayed, length=200)[0]


def prepare() -> None:
    """Ready a worker, and have it keep its samplings every few draws, not every few seconds.

    What `warm_up` imports later is of no use here, where all programs are on disk: in a worker
    that is soon killed it would cost more than all that is sampled.
    """
    from rheojobs.inference.readiness.warm_up import warm_up
    from rheojobs.inference.sampling import continuation

    next(warm_up())
    continuation.CHECKPOINT_SECONDS = 0.25
