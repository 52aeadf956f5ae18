"""Compile ahead of time what fits and samplings of one kind need. Runs inside a worker.

The real programs are run on synthetic data of the same length, so that no program is missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.local_context import local_context
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.test_modes import canonical_test_mode
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.labels import affinity_of, name_of
from rheojobs.inference.models.loading import load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.readiness.warm_up import warm_up_fully
from rheojobs.inference.sampling.task import SampleTask

__all__ = ["PrewarmTask"]

USUAL_POINTS = 50
ITERATIONS = 10
STEPS = 8
SCATTER = 0.01
"""The relative deviation of the synthetic data from the model; exact data are a special case."""


@dataclass
class PrewarmTask:
    """Prepares a worker, and the cache on disk, for fits and samplings of one kind.

    Parameters
    ----------
    model : str or Model
        As `FitTask` takes it.
    test_mode : str
        Of the future data.
    n : int
        How many points they will have; other lengths in the same bucket benefit too.
    x : array, shape (n,), optional
        Their x values; needed for models that require evenly spaced times.
    protocol : mapping, optional
        Constants of the test.
    model_config : mapping, optional
        The model's own settings.
    is_fit, is_sampling : bool
        What to prepare.
    sampling_options : mapping
        Those options of `SampleTask` that change what is compiled: priors, likelihood.
    """

    model: str | Model
    test_mode: str
    _: KW_ONLY
    n: int = USUAL_POINTS
    x: NDArray[np.float64] | None = None
    protocol: Mapping[str, float] | None = None
    model_config: Mapping[str, Any] | None = None
    is_fit: bool = True
    is_sampling: bool = True
    sampling_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The model's name."""
        return name_of(self.model)

    @property
    def name(self) -> str:
        """The label that is shown to users."""
        return f"prepare {self.model_name}"

    @property
    def affinity(self) -> str:
        """That of the later jobs, so that they run on the same worker."""
        return affinity_of(self.model, self.model_config)

    def validate(self) -> None:
        """Check all that can be known without JAX; raises `InputError` in one line."""
        self.test_mode = canonical_test_mode(self.test_mode)
        if self.x is None and (not isinstance(self.n, int) or self.n < 1):
            raise InputError(f"n must be a whole number from 1 up, got {self.n!r}")

    def run(self, context: TaskContext) -> None:
        """Compile; check for cancellation between programs, as far as the tasks do."""
        self.validate()
        warm_up_fully()  # an import that comes later may make JAX forget its programs
        model = load(self.model, self.model_config)
        values = {item.name: _usual_value(item) for item in model.parameters}
        dataset = self._synthetic(model, values)
        # Progress and partial results of these runs are of no interest.
        with local_context(token=context.token) as quiet:
            if self.is_fit:
                options = {"max_iter": ITERATIONS, "model_config": self.model_config}
                FitTask(self.model, dataset, None, options).run(quiet)
        if self.is_sampling:
            context.check()
            task = SampleTask(
                self.model,
                dataset,
                num_warmup=STEPS,
                num_samples=STEPS,
                num_chains=1,
                warm_start=values,
                model_config=self.model_config or {},
                **self.sampling_options,
            )
            with local_context(_ignore, context.token) as heard:  # which computes the preview too
                task.run(heard)

    def _synthetic(self, model: Model, values: Mapping[str, float]) -> Dataset:
        """Make synthetic data of the expected kind."""
        mode = self.test_mode
        model.check_test_mode(mode)
        if self.x is not None:
            x = np.asarray(self.x, dtype=float)
        elif mode in model.even_steps or mode == "laos":
            x = np.linspace(0.01, 10.0, self.n)
        else:
            x = np.geomspace(0.01, 100.0, self.n)
        params = np.array([values[name] for name in model.names])
        model.probe(mode, len(x), self.protocol)  # one line on what is missing
        y = np.asarray(model.predict(x, params, mode, self.protocol))
        y = y if mode == "oscillation" else np.real(y)
        y = np.where(np.isfinite(y), y, 1.0)
        scatter = 1.0 + SCATTER * np.sin(7.0 * np.arange(len(x)))
        data: dict[str, Any] = {"x": x, "y": y * scatter}
        if self.sampling_options.get("likelihood") == "sigma":
            size = SCATTER * max(float(np.abs(y).max()), SCATTER)
            data["sigma"] = np.full(len(x), size * (1 + 1j) if mode == "oscillation" else size)
        return Dataset.of(data, test_mode=mode, protocol=self.protocol)


def _ignore(_: object) -> None:
    """Take a report of progress."""


def _usual_value(parameter: Parameter) -> float:
    """Return a value in the middle of the bounds."""
    lower, upper = parameter.bounds
    if parameter.default is not None:
        return float(min(max(parameter.default, lower), upper))
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return float(min(max(1.0, lower), upper))
    return float(np.sqrt(lower * upper)) if lower > 0 else 0.5 * (lower + upper)
