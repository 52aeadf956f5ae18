"""Bayesian sampling with NUTS: the task, and the plain function. Runs inside a worker.

Chunks of about 50 ms, between which progress is told and a wish to pause or stop is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rheojobs.engine.events import Progress
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference.data import Dataset
from rheojobs.inference.jax_setup import configure_jax
from rheojobs.inference.likelihoods import check_likelihood
from rheojobs.inference.local import local_context
from rheojobs.inference.models import Model
from rheojobs.inference.priors import check_prior
from rheojobs.inference.problem import Problem, prepare_data
from rheojobs.inference.results import BayesianResult

__all__ = ["SampleTask", "sample"]

TARGET_ACCEPT = 0.95


@dataclass
class SampleTask:
    """A Bayesian sampling, as data.

    Parameters
    ----------
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    data : object
        As `Dataset.of` takes them.
    num_warmup, num_samples, num_chains : int
        Steps of warm-up and draws of each chain, and how many chains.
    warm_start : mapping, optional
        Parameter values to start from, such as a fit's.
    priors : mapping, optional
        By parameter: ``{"type": "normal", "loc": ..., "scale": ...}`` or a NumPyro distribution.
    seed : int
        Of the random numbers.
    test_mode : str, optional
        Read from the data where not given.
    protocol : mapping, optional
        Constants of the test.
    model_config : mapping, optional
        The model's own settings.
    target_accept : float
        The acceptance that the step size is adapted to.
    likelihood : str
        How the data scatter: ``"constant"`` is RheoJAX's; ``"relative"`` suits data over
        decades; ``"student_t"`` and ``"relative_student_t"`` expect outliers.
    """

    model: str | Model
    data: object
    num_warmup: int = 1000
    num_samples: int = 2000
    num_chains: int = 4
    warm_start: Mapping[str, float] | None = None
    priors: Mapping[str, Any] | None = None
    seed: int = 42
    test_mode: str | None = None
    protocol: Mapping[str, float] | None = None
    model_config: Mapping[str, Any] | None = None
    target_accept: float = TARGET_ACCEPT
    likelihood: str = "constant"
    _dataset: Dataset | None = field(default=None, repr=False)

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.model.name if isinstance(self.model, Model) else str(self.model)

    @property
    def name(self) -> str:
        """What a person sees."""
        return f"sample {self.model_name}"

    @property
    def affinity(self) -> str:
        """Tasks of one affinity share compiled programs."""
        return f"{self.model_name} {self.model_config}"

    def validate(self) -> None:
        """Check all that can be known without JAX; raises `InputError` in one line."""
        if self._dataset is not None:
            return
        for label, least in (("num_warmup", 0), ("num_samples", 1), ("num_chains", 1), ("seed", 0)):
            value = getattr(self, label)
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise InputError(f"{label} must be a whole number, got {value!r}")
            if value < least:
                raise InputError(f"{label} must be at least {least}, got {value}")
        if not 0.0 < self.target_accept < 1.0:
            raise InputError(f"target_accept must be between 0 and 1, got {self.target_accept}")
        check_likelihood(self.likelihood)
        for name, prior in (self.priors or {}).items():
            check_prior(name, prior)
        dataset = prepare_data(self.model, self.data, self.test_mode, self.protocol)
        self._dataset, self.data = dataset, None  # sent once, as checked

    def run(self, context: TaskContext) -> BayesianResult:
        """Sample."""
        self.validate()
        assert self._dataset is not None
        configure_jax()
        from rheojobs.inference.bayes import Sampling

        context.progress(0, 0, "preparing", stage="prepare")
        problem = Problem.of(self.model, self._dataset, self.model_config)
        sampling = Sampling(self, problem, context)
        return sampling.run()


def sample(
    data: object,
    model: str | Model,
    *,
    num_warmup: int = 1000,
    num_samples: int = 2000,
    num_chains: int = 4,
    warm_start: Mapping[str, float] | None = None,
    priors: Mapping[str, Any] | None = None,
    seed: int = 42,
    test_mode: str | None = None,
    protocol: Mapping[str, float] | None = None,
    model_config: Mapping[str, Any] | None = None,
    target_accept: float = TARGET_ACCEPT,
    likelihood: str = "constant",
    callback: Callable[[Progress], object] | None = None,
) -> BayesianResult:
    """Sample the posterior of a model, in this process.

    Parameters
    ----------
    data : object
        A `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    callback : callable, optional
        Called with each `Progress`; what it raises ends the sampling.
    num_warmup, num_samples, num_chains, warm_start, priors, seed, test_mode, protocol, \
model_config, target_accept, likelihood
        As `SampleTask` has them.

    Returns
    -------
    BayesianResult

    Raises
    ------
    InputError
        In one line, what is wrong with the input.
    """
    task = SampleTask(
        model,
        data,
        num_warmup,
        num_samples,
        num_chains,
        warm_start,
        priors,
        seed,
        test_mode,
        protocol,
        model_config,
        target_accept,
        likelihood,
    )
    with local_context(callback) as context:
        return task.run(context)
