"""Fits of one model to many datasets: the task, and the plain function `fit_many`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from rheojobs.engine.events import Progress
from rheojobs.engine.local_context import local_context
from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.options import FitOptions
from rheojobs.inference.models.labels import affinity_of, name_of
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.files import source_of
from rheojobs.inference.problem.problem import check_model, prepare_data
from rheojobs.inference.problem.weights import check_weights
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.results.records import pack, unpack

if TYPE_CHECKING:
    from rheojobs.inference.fits.many.results import FitResults

__all__ = ["FitManyTask", "fit_many"]

type Initial = Mapping[str, float] | Sequence[Mapping[str, float]] | None


@dataclass
class FitManyTask:
    """Fits of one model to many datasets, as data. Its result is a sequence of `FitResult`.

    Parameters
    ----------
    model : str or Model
        As of `FitTask`.
    datasets : sequence
        Each as `Dataset.of` takes it.
    initial_params : mapping or sequence of mapping, optional
        Initial values for all, or of each; missing ones are estimated from the data.
    options : mapping, optional
        As `FitOptions` has them, for all.
    """

    model: str | Model
    datasets: Sequence[object]
    initial_params: Initial = None
    options: Mapping[str, Any] | None = None
    _checked: list[Dataset] | None = field(default=None, repr=False)

    @property
    def model_name(self) -> str:
        """The model's name."""
        return name_of(self.model)

    @property
    def name(self) -> str:
        """The label that is shown to users."""
        return f"fit {self.model_name} to {len(self._checked or self.datasets)} datasets"

    @property
    def affinity(self) -> str:
        """Tasks of one affinity share compiled programs."""
        return affinity_of(self.model, (self.options or {}).get("model_config"))

    def validate(self) -> None:
        """Check all that can be checked without JAX; raises `InputError` in one line."""
        options = FitOptions.of(self.options)
        if self._checked is not None:
            return
        self.model = check_model(self.model)
        checked: list[Dataset] = []
        for number, data in enumerate(self.datasets, 1):
            try:
                dataset = prepare_data(self.model, data, options.test_mode, options.protocol)
                check_weights(options.weights, dataset)
            except InputError as error:
                raise error.within(f"dataset {number} of {len(self.datasets)}") from None
            checked.append(dataset)
        if not checked:
            raise InputError("there are no datasets to fit")
        self._each_initial(len(checked))
        self._checked, self.datasets = checked, ()  # sent once, as checked

    def checked_data(self) -> list[Dataset]:
        """Return the datasets that `validate` has checked."""
        self.validate()
        assert self._checked is not None
        return self._checked

    def _each_initial(self, count: int) -> Sequence[Mapping[str, float]]:
        given = self.initial_params
        if given is None or isinstance(given, Mapping):
            return [given or {}] * count
        if len(given) != count:
            raise InputError(
                f"initial_params has {len(given)} mappings for {count} datasets: give one for "
                "each, or one for all"
            )
        return given

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the task as JSON and arrays, to be stored."""
        datasets = self.checked_data()  # before the model, which the check completes
        settings = {"initial_params": self.initial_params, "options": self.options}
        content, blobs = pack({"model": self.model, "datasets": datasets} | settings)
        return content, blobs | source_of(self.model)

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return the task again."""
        return cls(**unpack(content, blobs))

    def run(self, context: TaskContext) -> FitResults:
        """Fit all."""
        datasets = self.checked_data()
        configure_jax()
        from rheojobs.inference.fits.many.run import FitManyRun

        options, initial = FitOptions.of(self.options), self._each_initial(len(datasets))
        context.progress(0, len(datasets), "preparing", stage="prepare")
        return FitManyRun(self.model, datasets, initial, options, context).run()


def fit_many(
    datasets: Sequence[object],
    model: str | Model,
    *,
    initial_params: Initial = None,
    callback: Callable[[Progress], object] | None = None,
    **options: Any,
) -> FitResults:
    """Fit a model to many datasets, in this process, much faster than one by one.

    Each result is that which `fit` finds for its dataset. A dataset that cannot be fitted has a
    result without success, whose message says why.

    Parameters
    ----------
    datasets : sequence
        Each a `Dataset`, RheoJAX's `RheoData`, a pair ``(x, y)``, or a mapping with x and y.
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    initial_params : mapping or sequence of mapping, optional
        Initial values for all, or of each; missing ones are estimated from the data.
    callback : callable, optional
        Called with each `Progress`; an exception that it raises ends the fits.
    **options
        As `FitOptions` has them, for all.

    Returns
    -------
    sequence of FitResult
        In the order of the datasets; each is made when it is looked at.

    Raises
    ------
    InputError
        In one line, what is wrong with the input, and in which dataset.
    """
    with local_context(callback) as context:
        return FitManyTask(model, datasets, initial_params, options).run(context)
