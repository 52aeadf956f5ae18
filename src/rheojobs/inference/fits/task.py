"""Least-squares fits: the task that runs inside a worker, and the plain function `fit`.

Between iterations the task reports progress, with the loss and the current parameters, and checks
for pause and cancellation; a cancelled fit hands over the best parameters so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.engine.task import TaskContext
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.labels import affinity_of, name_of
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.files import source_of
from rheojobs.inference.problem.problem import Problem, check_model, prepare_data
from rheojobs.inference.problem.weights import check_weights
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.records import pack, unpack

__all__ = ["FitTask", "fit"]


@dataclass
class FitTask:
    """A fit, as data.

    Parameters
    ----------
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    data : object
        As `Dataset.of` takes them.
    initial_params : mapping, optional
        Initial values; missing ones are estimated from the data.
    options : mapping, optional
        As `FitOptions` has them.
    """

    model: str | Model
    data: object
    initial_params: Mapping[str, float] | None = None
    options: Mapping[str, Any] | None = None
    _dataset: Dataset | None = field(default=None, repr=False)

    @property
    def model_name(self) -> str:
        """The model's name."""
        return name_of(self.model)

    @property
    def name(self) -> str:
        """The label that is shown to users."""
        return f"fit {self.model_name}"

    @property
    def affinity(self) -> str:
        """Tasks of one affinity share compiled programs."""
        return affinity_of(self.model, (self.options or {}).get("model_config"))

    def validate(self) -> None:
        """Check all that can be checked without JAX; raises `InputError` in one line."""
        options = FitOptions.of(self.options)
        if self._dataset is None:
            self.model = check_model(self.model)
            dataset = prepare_data(self.model, self.data, options.test_mode, options.protocol)
            check_weights(options.weights, dataset)
            self._dataset, self.data = dataset, None  # sent once, as checked

    def checked_data(self) -> Dataset:
        """Return the data that `validate` has checked."""
        self.validate()
        assert self._dataset is not None
        return self._dataset

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the task as JSON and arrays, to be stored."""
        data = self.checked_data()  # before the model, which the check completes
        settings = {"initial_params": self.initial_params, "options": self.options}
        content, blobs = pack({"model": self.model, "data": data} | settings)
        return content, blobs | source_of(self.model)

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return the task again."""
        return cls(**unpack(content, blobs))

    def run(self, context: TaskContext) -> FitResult:
        """Fit."""
        dataset = self.checked_data()
        configure_jax()
        from rheojobs.inference.fits.run import FitRun

        options = FitOptions.of(self.options)
        context.progress(0, 0, "preparing", stage="prepare")
        with context.unstoppable():
            problem = Problem.of(self.model, dataset, options.model_config, options.bounds)
        return FitRun(problem, options, self.initial_params or {}, context).run()


def fit(
    data: object,
    model: str | Model,
    *,
    initial_params: Mapping[str, float] | None = None,
    callback: Callable[[Progress], object] | None = None,
    **options: Any,
) -> FitResult:
    """Fit a model to data, in this process.

    Parameters
    ----------
    data : object
        A `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    initial_params : mapping, optional
        Initial values; missing ones are estimated from the data.
    callback : callable, optional
        Called with each `Progress`; an exception that it raises ends the fit.
    **options
        As `FitOptions` has them.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        In one line, what is wrong with the input.
    """
    with local_context(callback) as context:
        return FitTask(model, data, initial_params, options).run(context)
