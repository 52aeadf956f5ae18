"""Bayesian sampling with NUTS: the task. Runs inside a worker.

Chunks of about 50 ms, between which progress is told and a wish to pause or stop is heard.
Knows no JAX until it runs, so that a window can make a task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.models.model import Model
from rheojobs.inference.posterior.likelihood_names import check_likelihood, likelihood_of
from rheojobs.inference.posterior.prior_syntax import check_prior
from rheojobs.inference.problem.problem import Problem, prepare_data
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.records import pack, unpack
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.checkpoints import Checkpoints, Leftover, new_folder
from rheojobs.inference.sampling.settings import SampleSettings

__all__ = ["DEFAULT_PRIORS", "Continuation", "SampleTask"]

TARGET_ACCEPT = 0.95
CAP = 10
"""With a wanted ESS: draws at most, in multiples of `num_samples`."""

DEFAULT_PRIORS: dict[str, str] = {
    "rheojax": "uniform on the bounds; Beta(2, 2) for fractional orders",
    "logarithmic": "log-uniform where positive bounds span more than three decades, else the same",
}

_STORED = (
    "num_warmup",
    "num_samples",
    "num_chains",
    "warm_start",
    "priors",
    "seed",
    "model_config",
    "target_accept",
    "likelihood",
    "default_priors",
    "until_ess",
    "max_samples",
    "fixed",
    "keep_checkpoint",
)


@dataclass(frozen=True, eq=False)
class Continuation:
    """What is needed to draw more: `rheojobs.extend` takes it from a result.

    Attributes
    ----------
    task : SampleTask
        What was asked for.
    segment : Segment
        Where each chain stands and what it drew, as plain arrays.
    """

    task: SampleTask
    segment: Segment


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
    likelihood : str, optional
        How the data scatter: ``"constant"`` is RheoJAX's; ``"relative"`` suits data over
        decades; ``"student_t"`` and ``"relative_student_t"`` expect outliers; ``"sigma"`` takes
        the standard deviations of `Dataset.sigma` as true and samples no noise. Where not
        given, ``"sigma"`` for data that have it, else ``"constant"``.
    default_priors : str
        What a parameter gets whose prior is not given: ``"logarithmic"``, or ``"rheojax"``,
        which with ``likelihood="constant"`` is RheoJAX's statistical model.
    until_ess : float, optional
        Stop when every parameter has as many independent draws (bulk and tail) and R-hat is at
        most 1.01, be it before or after `num_samples`.
    max_samples : int, optional
        With `until_ess`: draws of each chain at most; ten times `num_samples` where not given.
    checkpoint : path, optional
        The folder where the sampling is kept while it runs: one of the user's state folder
        where not given. A sampling that was stopped goes on from there. ``""`` keeps nothing.
    continues : Segment, optional
        Chains to go on from; `extend` sets it.
    fixed : mapping, optional
        Parameters that keep a value and are not sampled: ``{"eta": 1e3}``.
    keep_checkpoint : bool
        Whether the checkpoint stays when all is drawn: whoever sets this removes it, when the
        draws are where he wants them.
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
    likelihood: str | None = None
    default_priors: str = "logarithmic"
    until_ess: float | None = None
    max_samples: int | None = None
    checkpoint: str | Path | None = None
    continues: Segment | None = field(default=None, repr=False)
    fixed: Mapping[str, float] | None = None
    keep_checkpoint: bool = False
    _dataset: Dataset | None = field(default=None, repr=False)

    max_attempts = 3
    """A worker that dies does not end a sampling: another goes on from the checkpoint."""

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

    @property
    def folder(self) -> str | Path | None:
        """Where its files are, on the machine of the application: its checkpoint."""
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
        if self.until_ess is None:
            return self.num_samples
        return CAP * self.num_samples if self.max_samples is None else self.max_samples

    def validate(self) -> None:
        """Check all that can be known without JAX; raises `InputError` in one line."""
        if self._dataset is not None:
            return
        for label, least in (("num_warmup", 0), ("num_samples", 1), ("num_chains", 1), ("seed", 0)):
            _check_count(label, getattr(self, label), least)
        if self.max_samples is not None:
            _check_count("max_samples", self.max_samples, 1)
        if self.until_ess is not None and not 0 < self.until_ess < float("inf"):
            raise InputError(f"until_ess must be a positive number, got {self.until_ess}")
        if not 0.0 < self.target_accept < 1.0:
            raise InputError(f"target_accept must be between 0 and 1, got {self.target_accept}")
        if self.likelihood is not None:
            check_likelihood(self.likelihood)
        if self.default_priors not in DEFAULT_PRIORS:
            hint = nearest(str(self.default_priors), DEFAULT_PRIORS)
            raise InputError(f"unknown default_priors {self.default_priors!r}; {hint}")
        for name, prior in (self.priors or {}).items():
            check_prior(name, prior)
        if not isinstance(self.fixed or {}, Mapping):
            raise InputError(f"fixed must be values by name of a parameter, got {self.fixed!r}")
        dataset = prepare_data(self.model, self.data, self.test_mode, self.protocol)
        self.likelihood = likelihood_of(dataset, self.likelihood)
        self._dataset, self.data = dataset, None  # sent once, as checked
        if self.checkpoint is None:
            self.checkpoint = str(new_folder())
        elif self.checkpoint == "":
            self.checkpoint = None
        else:  # whoever takes it up again may stand in another folder
            self.checkpoint = str(Path(self.checkpoint).absolute())

    def checked_data(self) -> Dataset:
        """Give the data as `validate` has checked them."""
        self.validate()
        assert self._dataset is not None
        return self._dataset

    def run(self, context: TaskContext) -> BayesianResult:
        """Sample."""
        dataset = self.checked_data()
        configure_jax()
        from rheojobs.inference.sampling.run import Sampling

        context.progress(0, 0, "preparing", stage="prepare")
        with context.unstoppable():
            problem = Problem.of(self.model, dataset, self.model_config)
        sampling = Sampling(self.settings(), problem, context)
        result = sampling.run()
        result.continuation = Continuation(self, sampling.segment())
        return result

    def settings(self) -> SampleSettings:
        """Return the options as checked; only after `validate`."""
        return SampleSettings(
            num_warmup=self.num_warmup,
            num_samples=self.num_samples,
            num_chains=self.num_chains,
            seed=self.seed,
            warm_start=self.warm_start or {},
            priors=self.priors or {},
            fixed=self.fixed or {},
            likelihood=self.likelihood,
            default_priors=self.default_priors,
            target_accept=self.target_accept,
            until_ess=self.until_ess,
            most_draws=self.most_draws,
            checkpoint=None if self.checkpoint is None else str(self.checkpoint),
            keep_checkpoint=self.keep_checkpoint,
            continues=self.continues,
            task=self._description(),
        )

    @property
    def leftover(self) -> Leftover | None:
        """The checkpoint, when the result is kept elsewhere."""
        if self.checkpoint and not self.keep_checkpoint:
            return Leftover.of(self.checkpoint)
        return None

    def _description(self) -> Segment:
        """Return the task as JSON and arrays, as far as it is data: for its checkpoint."""
        assert self._dataset is not None
        data = self._dataset
        told = {name: getattr(self, name) for name in _STORED}
        told["warm_start"] = dict(self.warm_start or {})
        told["model_config"] = dict(self.model_config or {})
        told["fixed"] = dict(self.fixed or {})
        # A function of the user's and a distribution are code: whoever has them can go on.
        told["model"] = self.model if isinstance(self.model, str) else None
        plain = all(isinstance(prior, Mapping) for prior in (self.priors or {}).values())
        told["priors"] = {k: dict(v) for k, v in (self.priors or {}).items()} if plain else None
        told["data"] = {
            "test_mode": data.test_mode,
            "name": data.name,
            "quantity": data.quantity,
            "x_unit": data.x_unit,
            "y_unit": data.y_unit,
            "protocol": dict(data.protocol),
        }
        arrays = {"x": data.x} | _parts("y", data.y) | _parts("sigma", data.sigma)
        return Segment(told, arrays)

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Give the task as JSON and arrays, to be kept on disk; the folder is its checkpoint."""
        data = self.checked_data()
        settings = {name: getattr(self, name) for name in _STORED}
        folder = "" if self.checkpoint is None else str(self.checkpoint)
        others = {"model": self.model, "data": data, "checkpoint": folder}
        return pack(settings | others | {"continues": self.continues})

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Give the task again: run, it goes on from its checkpoint, where there is one."""
        return cls(**unpack(content, blobs))

    @classmethod
    def of_checkpoint(cls, folder: str | Path) -> Self:
        """Give the task of a sampling that was stopped; running it goes on from there.

        Raises
        ------
        InputError
            Where the folder holds none, or one whose model or priors are the user's own code.
        """
        plan = Checkpoints(folder).read_plan()
        if plan is None:
            raise InputError(f"{folder} is not the folder of a stopped sampling")
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
        """Give the task that goes on where a result stopped, for so many draws of each chain more.

        Raises
        ------
        InputError
            Where the result was read from a file: the chains' states live with the object.
        """
        before = result.continuation
        if not isinstance(before, Continuation):
            if result.checkpoint:
                raise InputError(
                    f"this sampling was stopped: resume({result.checkpoint!r}) goes on with it"
                )
            raise InputError("this result was read from a file: its chains cannot be extended")
        _check_count("num_samples", num_samples, 1)
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


def _check_count(label: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"{label} must be a whole number, got {value!r}")
    if value < least:
        raise InputError(f"{label} must be at least {least}, got {value}")
