"""What comes out: the result of a fit and of a sampling, and how they are kept.

JSON and NetCDF only, so that opening a result executes nothing. Knows no JAX.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, overload

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError

if TYPE_CHECKING:
    from xarray import DataTree

    from rheojobs.inference.results.inference_arrays import InferenceArrays
    from rheojobs.inference.sampling.checkpoints import Segment
    from rheojobs.inference.sampling.task import SampleTask

__all__ = ["BayesianResult", "Continuation", "FitResult", "HasFields", "plain", "to_json"]


def plain(value: Any) -> Any:
    """Turn a value into what JSON knows; NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        if np.iscomplexobj(value):
            return {"real": plain(value.real), "imag": plain(value.imag)}
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, complex):
        return {"real": value.real, "imag": value.imag}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return value


class HasFields(Protocol):
    """What has fields to be written, as results have."""

    def as_dict(self) -> dict[str, Any]:
        """Give all fields by name."""


def to_json(result: HasFields) -> str:
    """Write a result's fields under their names; arrays as lists, complex ones as two."""
    return json.dumps(plain(result.as_dict()), indent=2, ensure_ascii=False)


def _array(value: Any) -> NDArray[Any]:
    if isinstance(value, Mapping):
        return _array(value["real"]) + 1j * _array(value["imag"])
    return np.asarray(value, dtype=np.float64)  # null becomes NaN


def _limits(low: float | None, high: float | None) -> tuple[float, float]:
    return -math.inf if low is None else low, math.inf if high is None else high


def _read(path: str | Path, cls: type) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a {cls.__name__}: {error}") from None
    required = {item.name for item in fields(cls)} & {"model_name", "timestamp"}
    if not isinstance(content, dict) or not required <= content.keys():
        raise InputError(f"{path} is not a {cls.__name__} that this program wrote")
    content["timestamp"] = datetime.fromisoformat(content["timestamp"])
    known = {item.name for item in fields(cls)}
    return {key: value for key, value in content.items() if key in known}


@dataclass(eq=False)
class FitResult:
    """What a fit found.

    Attributes
    ----------
    model_name : str
        The model.
    parameters : dict of str to float
        The estimates, in the units of `units`.
    r_squared : float
        Coefficient of determination: of the logarithms where `weights` is ``"relative"``
        and all values are positive, else of the values.
    mpe : float
        Mean of the absolute relative deviation, in percent.
    chi_squared : float
        Sum of the squared weighted residuals; relative ones are ln(curve / data) where all data
        are positive.
    fit_time : float
        Seconds, from the data in the worker to the result.
    timestamp : datetime
        When it was done, with its time zone.
    n_iterations : int or None
        Of the optimizer.
    success : bool
        Whether it converged.
    uncertainties : dict of str to float
        Standard errors; infinite where the data do not determine the parameter.
    covariance : ndarray, shape (p, p)
        Of the estimates, in the order of `parameters`.
    reduced_chi_squared : float
        `chi_squared` over the degrees of freedom.
    aic, bic : float
        Akaike's and Bayesian information criterion, for Gaussian residuals of unknown size, or
        of that size which sigma says. Both up to a constant that data and weights share.
    residuals, fitted : ndarray, shape (n,)
        Data minus curve, and the curve; complex for an oscillation.
    test_mode : str
        Of the data.
    message : str
        Why the optimizer stopped, and what else should be known.
    weights : str
        ``"relative"``, ``"uniform"`` or ``"sigma"``.
    units : dict of str to str
        Of the parameters.
    aicc : float
        `aic` corrected for few data (Hurvich & Tsai 1989); infinite where there are too few.
    weights_reason : str
        Why these weights, where they were not given.
    loss : str
        How residuals count: ``"linear"`` for least squares, else a robust one.
    loss_scale : float
        The weighted residual beyond which a robust loss counts it for less; NaN for linear.
    objective : float
        What was minimized: `chi_squared` for a linear loss.
    correlation : ndarray, shape (p, p)
        Of the estimates; NaN where a parameter was not free or is not determined.
    bounds : dict of str to (float, float)
        Between which each parameter was looked for.
    fixed : dict of str to float
        Parameters that were not looked for.
    tied : dict of str to str
        Parameters that were computed from others, and how.
    intervals : dict of str to (float, float)
        Confidence intervals of 95 % by profile likelihood, where asked for; an end that does
        not close is the bound, or infinite.
    interval_notes : dict of str to str
        What is to be known of an interval that does not close.
    minima : list of dict
        The distinct minima that the starts ended in, best first: ``objective``, ``parameters``,
        and how many ``starts`` ended there.
    warnings : list of str
        What should not be trusted, in plain words.
    """

    is_result: ClassVar[bool] = True

    model_name: str
    parameters: dict[str, float]
    r_squared: float
    mpe: float
    chi_squared: float
    fit_time: float
    timestamp: datetime
    n_iterations: int | None
    success: bool
    uncertainties: dict[str, float] = field(default_factory=dict)
    covariance: NDArray[np.float64] | None = None
    reduced_chi_squared: float = math.nan
    aic: float = math.nan
    bic: float = math.nan
    residuals: NDArray[Any] | None = None
    fitted: NDArray[Any] | None = None
    test_mode: str = ""
    message: str = ""
    weights: str = "uniform"
    units: dict[str, str] = field(default_factory=dict)
    aicc: float = math.nan
    weights_reason: str = ""
    loss: str = "linear"
    loss_scale: float = math.nan
    objective: float = math.nan
    correlation: NDArray[np.float64] | None = None
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    interval_notes: dict[str, str] = field(default_factory=dict)
    minima: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Give all fields by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def to_markdown(self, title: str = "") -> str:
        """Give the full report as Markdown, such as ``Path("fit.md").write_text`` takes it."""
        from rheojobs.inference.results.fit_report import markdown

        return markdown(self, title)

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Give the result as JSON and arrays, for the store of jobs."""
        from rheojobs.inference.results.records import pack

        return pack(self.as_dict())

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Give back what `record` was called on."""
        from rheojobs.inference.results.records import unpack

        return cls(**unpack(content, blobs))

    def save(self, path: str | Path) -> None:
        """Write the result as JSON."""
        Path(path).write_text(to_json(self) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a result that `save` wrote; raises `InputError` where it is none."""
        content = _read(path, cls)
        for name in ("covariance", "correlation", "residuals", "fitted"):
            if content.get(name) is not None:
                content[name] = _array(content[name])
        if content.get("covariance") is not None:  # what the data do not determine
            content["covariance"][np.isnan(content["covariance"])] = math.inf
        for name in {"parameters", "uncertainties"} & content.keys():
            content[name] = {k: math.inf if v is None else v for k, v in content[name].items()}
        for name in {"bounds", "intervals"} & content.keys():
            content[name] = {key: _limits(*ends) for key, ends in content[name].items()}
        for item in fields(cls):
            if isinstance(item.default, float) and content.get(item.name, 0.0) is None:
                content[item.name] = math.inf if item.name == "aicc" else math.nan
        return cls(**content)


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


class _BuiltWhenRead:
    """A field that is given as arrays and read as the tree that they make."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> None: ...

    @overload
    def __get__(self, instance: BayesianResult, owner: type) -> DataTree | None: ...

    def __get__(self, instance: BayesianResult | None, owner: type) -> DataTree | None:
        if instance is None:
            return None  # the default
        from rheojobs.inference.results.inference_arrays import InferenceArrays

        value = instance.__dict__[self._name]
        if isinstance(value, InferenceArrays):
            value = instance.__dict__[self._name] = value.tree()
        return value  # type: ignore[no-any-return]

    def __set__(self, instance: BayesianResult, value: DataTree | InferenceArrays | None) -> None:
        instance.__dict__[self._name] = value


@dataclass(eq=False)
class BayesianResult:
    """What a sampling drew.

    Attributes
    ----------
    model_name : str
        The model.
    posterior_samples : dict of str to ndarray, shape (chains * draws,)
        The draws, chain after chain; the noise scales (``sigma``, or ``sigma_real`` and
        ``sigma_imag``) included.
    summary : dict of str to dict of str to float
        Per parameter: mean, std, median, q05, q25, q75, q95, mcse_mean, ess_bulk, ess_tail,
        r_hat.
    diagnostics : dict
        r_hat, ess_bulk, ess_tail (per parameter), divergences, bfmi (per chain), acceptance,
        leapfrogs, step_size, priors, warnings.
    num_samples, num_chains : int
        Draws per chain, and chains.
    sampling_time : float
        Seconds, from the data in the worker to the result.
    timestamp : datetime
        When it was done, with its time zone.
    credible_intervals : dict of str to (float, float), or None
        Highest density intervals of 95 %.
    num_warmup : int
        Steps of warm-up per chain, not among the draws.
    inference_data : DataTree or None
        For ArviZ: posterior, posterior_predictive, log_likelihood, sample_stats, observed_data.
        Given as a tree or as arrays, of which it is built when it is first read.
    is_partial : bool
        Whether the sampling was stopped before it was done.
    test_mode : str
        Of the data.
    units : dict of str to str
        Of the parameters.
    seed : int
        Of the random numbers.
    checkpoint : str
        The folder from which a sampling that was stopped can be taken up again.
    continuation : Continuation or None
        What `extend` goes on from; lives with the object, is not saved.
    """

    is_result: ClassVar[bool] = True

    model_name: str
    posterior_samples: dict[str, NDArray[np.float64]]
    summary: dict[str, dict[str, float]]
    diagnostics: dict[str, Any]
    num_samples: int
    num_chains: int
    sampling_time: float
    timestamp: datetime
    credible_intervals: dict[str, tuple[float, float]] | None = None
    num_warmup: int = 0
    inference_data: _BuiltWhenRead = _BuiltWhenRead()
    is_partial: bool = False
    test_mode: str = ""
    units: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    checkpoint: str = ""
    continuation: Continuation | None = field(default=None, repr=False)

    @property
    def inference_arrays(self) -> InferenceArrays | None:
        """What `inference_data` is built of, as long as nobody has looked at the tree.

        For windows: building the tree imports ArviZ's base, which takes a second.
        """
        from rheojobs.inference.results.inference_arrays import InferenceArrays

        value = self.__dict__["_inference_data"]
        return value if isinstance(value, InferenceArrays) else None

    def as_dict(self) -> dict[str, Any]:
        """Give all fields by name, but for `inference_data` and `continuation`."""
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("inference_data", "continuation")
        }

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Give the result as JSON and arrays, for the store of jobs; without `continuation`.

        `inference_data` goes with it as long as it is arrays: until somebody looks at the tree.
        """
        from rheojobs.inference.results.records import pack

        return pack(self.as_dict() | {"inference_data": self.inference_arrays})

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Give back what `record` was called on."""
        from rheojobs.inference.results.records import unpack

        return cls(**unpack(content, blobs))

    def save(self, path: str | Path) -> None:
        """Write the result as JSON, without `inference_data`."""
        Path(path).write_text(to_json(self) + "\n", encoding="utf-8")

    def save_netcdf(self, path: str | Path) -> None:
        """Write `inference_data` as NetCDF, which ArviZ opens."""
        if self.inference_data is None:
            raise InputError("this result has no inference data: too little was drawn")
        self.inference_data.to_netcdf(path, engine="h5netcdf")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a result that `save` wrote; raises `InputError` where it is none."""
        content = _read(path, cls)
        samples = content.get("posterior_samples", {})
        content["posterior_samples"] = {name: _array(values) for name, values in samples.items()}
        intervals = content.get("credible_intervals")
        if intervals is not None:
            content["credible_intervals"] = {key: tuple(ends) for key, ends in intervals.items()}
        return cls(**content)
