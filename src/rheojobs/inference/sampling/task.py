"""`SampleTask`: Bayesian sampling with NUTS, inside a worker.

Between chunks of about 50 ms it reports progress and checks for pause and cancellation. It imports
no JAX until it runs, so that a window can make a task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError, one_line
from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.labels import affinity_of, name_of
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.files import source_of
from rheojobs.inference.options.option import options_of
from rheojobs.inference.posterior.likelihood_names import likelihood_of
from rheojobs.inference.problem.problem import Problem, check_model, prepare_data
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.evidence import Evidence
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.records import pack, unpack
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.checkpoints import Checkpoints, Leftover, new_folder
from rheojobs.inference.sampling.options import DRAWS, SampleOptions
from rheojobs.inference.sampling.settings import SampleSettings

if TYPE_CHECKING:
    from rheojobs.inference.sampling.run import Sampling

__all__ = ["Continuation", "SampleTask"]

CAP = 10
"""With a target ESS: the limit on draws, in multiples of `num_samples`."""

MOST_MINIMA = 8
"""How many of a fit's other minima are searched from."""

_OPTIONS = options_of(SampleOptions)
_STORED = (
    *(name for name, option in _OPTIONS.items() if option.is_stored),
    "warm_start",
    "other_starts",
    "keep_checkpoint",
    "keep_predictions",
)


@dataclass(frozen=True, eq=False)
class Continuation:
    """The state needed to draw more: `rheojobs.extend` takes it from a result.

    Attributes
    ----------
    task : SampleTask
        The task of the sampling.
    segment : Segment
        The state and the draws of each chain, as plain arrays.
    """

    task: SampleTask
    segment: Segment


@dataclass
class SampleTask(SampleOptions):
    """A Bayesian sampling, as data.

    Parameters
    ----------
    model : str or Model
        A name of the catalogue, or a plain JAX function with its parameters.
    data : object
        As `Dataset.of` takes them.
    warm_start : mapping, optional
        Parameter values to start from, such as a fit's.
    other_starts : sequence of mapping
        Further places from which maxima of the posterior are searched, such as a fit's minima.
    fit : FitResult, optional
        A fit of the same model that the sampling follows: it starts there, searches for further
        maxima from its other minima, and the fit's fixed parameters and bounds hold. A fit with
        tied parameters is refused.
    checkpoint : path, optional
        The folder where the sampling is stored while it runs; by default one of the user's state
        folder. A stopped sampling continues from there. ``""`` stores nothing.
    continues : Segment, optional
        Chains to continue; `extend` sets it.
    keep_checkpoint : bool
        Whether the checkpoint stays when all is drawn; the caller then removes it later.
    keep_predictions : bool
        Whether the result has the predictions at the draws, of which ArviZ's groups
        posterior_predictive and log_likelihood are made, or only the band of curves.
    **options
        As `SampleOptions` has them.
    """

    model: str | Model
    data: object
    warm_start: Mapping[str, float] | None = field(default=None, kw_only=True)
    other_starts: Sequence[Mapping[str, float]] = field(default=(), kw_only=True)
    fit: FitResult | None = field(default=None, repr=False, kw_only=True)
    checkpoint: str | Path | None = field(default=None, kw_only=True)
    continues: Segment | None = field(default=None, repr=False, kw_only=True)
    keep_checkpoint: bool = field(default=False, kw_only=True)
    keep_predictions: bool = field(default=True, kw_only=True)
    _dataset: Dataset | None = field(default=None, repr=False, kw_only=True)

    max_attempts = 3
    """If a worker dies, another one continues the sampling from the checkpoint."""

    @property
    def model_name(self) -> str:
        """The model's name."""
        return name_of(self.model)

    @property
    def name(self) -> str:
        """The label that is shown to users."""
        return f"sample {self.model_name}"

    @property
    def affinity(self) -> str:
        """Tasks of one affinity share compiled programs."""
        return affinity_of(self.model, self.model_config)

    @property
    def folder(self) -> str | Path | None:
        """The folder of its files on the machine of the application: its checkpoint."""
        return self.checkpoint

    @property
    def dataset(self) -> Dataset:
        """The data, checked; only after `validate`."""
        if self._dataset is None:
            raise InputError("the task was not validated yet")
        return self._dataset

    @property
    def most_draws(self) -> int:
        """How many draws of each chain there may be at most."""
        draws = self.num_samples or DRAWS
        if self.until_ess is None:
            return draws if self.max_samples is None else min(draws, self.max_samples)
        return CAP * draws if self.max_samples is None else self.max_samples

    def validate(self) -> None:
        """Check all that can be checked without JAX; raises `InputError` in one line."""
        self._follow_fit()
        if self._dataset is not None:
            return
        for name, option in _OPTIONS.items():
            setattr(self, name, option.check(getattr(self, name)))
        self.model = check_model(self.model)
        dataset = prepare_data(self.model, self.data, self.test_mode, self.protocol)
        self.likelihood = likelihood_of(dataset, self.likelihood)
        self.other_starts = [dict(place) for place in self.other_starts]
        self._dataset, self.data = dataset, None  # sent once, as checked
        if self.checkpoint is None:
            self.checkpoint = str(new_folder())
        elif self.checkpoint == "":
            self.checkpoint = None
        else:  # the process that resumes it may have another working directory
            self.checkpoint = str(Path(self.checkpoint).absolute())

    def _follow_fit(self) -> None:
        """Take start, fixed parameters and bounds from the fit, unless they are given.

        A fit that is the result of another job is known only when the sampling starts.
        """
        fit = self.fit
        if not isinstance(fit, FitResult):
            return
        if fit.model_name != self.model_name:
            raise InputError(
                f"the fit is of {fit.model_name}, the sampling of {self.model_name}: give a fit of "
                "the same model"
            )
        if fit.tied:
            ties = ", ".join(f"{name} = {text}" for name, text in fit.tied.items())
            raise InputError(
                f"the fit ties parameters ({ties}), which a sampling cannot: fit without {{tied}}, "
                "or sample without the fit",
                options=("tied",),
            )
        if self.warm_start is None:
            self.warm_start = fit.parameters
            others = (minimum["parameters"] for minimum in fit.minima[1 : 1 + MOST_MINIMA])
            self.other_starts = self.other_starts or list(others)
        self.fixed = {**fit.fixed, **(self.fixed or {})}
        self.bounds = {**fit.given_bounds, **(self.bounds or {})}
        self.fit = None  # sent once, as taken

    def checked_data(self) -> Dataset:
        """Return the data that `validate` has checked."""
        self.validate()
        assert self._dataset is not None
        return self._dataset

    def run(self, context: TaskContext) -> BayesianResult:
        """Sample."""
        return self._sampled(context)[0]

    def run_with_evidence(self, context: TaskContext) -> tuple[BayesianResult, Evidence]:
        """Sample, and estimate the evidence of the model from the draws."""
        result, sampling = self._sampled(context)
        context.progress(0, 0, "computing the evidence", stage="evidence")
        return result, sampling.evidence()

    def _sampled(self, context: TaskContext) -> tuple[BayesianResult, Sampling]:
        dataset = self.checked_data()
        configure_jax()
        from rheojobs.inference.sampling.run import Sampling

        context.progress(0, 0, "preparing", stage="prepare")
        with context.unstoppable():
            problem = Problem.of(self.model, dataset, self.model_config, self.bounds)
        sampling = Sampling(self.settings(), problem, context)
        result = sampling.run()
        result.continuation = Continuation(self, sampling.segment())
        return result, sampling

    def settings(self) -> SampleSettings:
        """Return the options as checked; only after `validate`."""
        open_ended = {"num_samples": self.num_samples or DRAWS, "until_ess": self.wanted_ess}
        return SampleSettings(
            **{name: getattr(self, name) for name in _OPTIONS} | open_ended,
            warm_start=self.warm_start or {},
            other_starts=self.other_starts,
            most_draws=self.most_draws,
            checkpoint=None if self.checkpoint is None else str(self.checkpoint),
            keep_checkpoint=self.keep_checkpoint,
            keep_predictions=self.keep_predictions,
            continues=self.continues,
            task=self._description(),
        )

    @property
    def leftover(self) -> Leftover | None:
        """The checkpoint, when the result is stored elsewhere."""
        if self.checkpoint and not self.keep_checkpoint:
            return Leftover.of(self.checkpoint)
        return None

    def _description(self) -> Segment:
        """Return the task as JSON and arrays for its checkpoint, without user code."""
        assert self._dataset is not None
        data = self._dataset
        told = {name: getattr(self, name) for name in _STORED}
        told["warm_start"] = dict(self.warm_start or {})
        told["other_starts"] = [dict(place) for place in self.other_starts]
        told["model_config"] = dict(self.model_config)
        told["fixed"] = dict(self.fixed)
        told["bounds"] = {name: list(ends) for name, ends in self.bounds.items()}
        # A user's function and a distribution are code: only a process that has them can resume.
        told["model"] = self.model if isinstance(self.model, str) else None
        plain = all(isinstance(prior, Mapping) for prior in self.priors.values())
        told["priors"] = {k: dict(v) for k, v in self.priors.items()} if plain else None
        told["data"] = {
            "test_mode": data.test_mode,
            "name": data.name,
            "quantity": data.quantity,
            "x_unit": data.x_unit,
            "y_unit": data.y_unit,
            "protocol": dict(data.protocol),
            "conditions": dict(data.conditions),
        }
        arrays = {"x": data.x} | _parts("y", data.y) | _parts("sigma", data.sigma)
        return Segment(told, arrays)

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the task as JSON and arrays, to be stored; the folder is its checkpoint."""
        data = self.checked_data()
        settings = {name: getattr(self, name) for name in _STORED}
        folder = "" if self.checkpoint is None else str(self.checkpoint)
        others: dict[str, Any] = {"model": self.model, "data": data, "checkpoint": folder}
        if self.fit is not None:  # the result of another job, which cannot be stored
            others["fit"] = self.fit
        content, blobs = pack(settings | others | {"continues": self.continues})
        return content, blobs | source_of(self.model)

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Restore the task; it continues from its checkpoint if there is one."""
        return cls(**unpack(content, blobs))

    @classmethod
    def of_checkpoint(cls, folder: str | Path) -> Self:
        """Return the task of a stopped sampling, which continues it when run.

        Raises
        ------
        InputError
            If the folder holds none, or one whose model or priors are the user's own code.
        """
        plan = Checkpoints(folder).read_plan()
        if plan is None:
            raise InputError(f"{folder} is not the folder of a stopped sampling")
        try:
            return cls._of_plan(plan, folder)
        except InputError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
            # Its checksum is right, but this program has not written it.
            raise InputError(f"the plan in {folder} is damaged: {one_line(error)}") from error

    @classmethod
    def _of_plan(cls, plan: Segment, folder: str | Path) -> Self:
        told = plan.meta["task"]
        if told["model"] is None or told["priors"] is None:
            raise InputError(
                f"the model or a prior of {folder} is code of your own: run the same SampleTask "
                "again, with this folder as its checkpoint"
            )
        y, sigma = _joined("y", plan.arrays), _joined("sigma", plan.arrays)
        assert y is not None
        data = Dataset(plan.arrays["x"], y, **told["data"], sigma=sigma)
        settings = {name: told[name] for name in _STORED if name in told}  # an older one has fewer
        return cls(told["model"], data, **settings, checkpoint=str(folder))

    @classmethod
    def extending(cls, result: BayesianResult, num_samples: int) -> SampleTask:
        """Return the task that continues a result, for so many more draws of each chain.

        Raises
        ------
        InputError
            If the result was read from a file: the chains' states exist only in memory.
        """
        before = result.continuation
        if not isinstance(before, Continuation):
            if result.checkpoint:
                raise InputError(
                    f"this sampling was stopped: resume({result.checkpoint!r}) continues it"
                )
            raise InputError("this result was read from a file: its chains cannot be extended")
        _OPTIONS["num_samples"].check(num_samples)
        return replace(
            before.task,
            num_samples=result.num_samples + num_samples,
            until_ess=None,
            checkpoint=str(new_folder()),
            keep_checkpoint=False,
            continues=before.segment,
        )


def _parts(name: str, values: NDArray[Any] | None) -> dict[str, NDArray[np.float64]]:
    """Return the parts of an array by their names."""
    parts = () if values is None else parts_of(values)
    names = (f"{name}_real", f"{name}_imag")
    return {key: np.ascontiguousarray(part) for key, part in zip(names, parts, strict=False)}


def _joined(name: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any] | None:
    """Undo `_parts`."""
    if f"{name}_real" not in arrays:
        return None
    values: NDArray[Any] = arrays[f"{name}_real"]
    return values + 1j * arrays[f"{name}_imag"] if f"{name}_imag" in arrays else values
