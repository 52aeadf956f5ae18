"""`BayesianResult`: the result of a sampling, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.results.concerns import doubt
from rheojobs.inference.results.json_format import array, read_result, to_json

if TYPE_CHECKING:
    from xarray import DataTree

    from rheojobs.inference.results.inference_arrays import InferenceArrays

__all__ = ["BayesianResult"]


class _BuiltWhenRead:
    """A field that is set as arrays and read as the tree built from them."""

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
    """The result of a sampling.

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
    curve_band : dict of str to ndarray, shape (n,), or None
        Quantiles of the model's curve at the draws, without noise: ``low`` (2.5 %), ``median``,
        ``high`` (97.5 %), and the data's ``x``. For G*, those of G' and G'' as real and imaginary
        part. A partial result may have none.
    is_partial : bool
        Whether the sampling was stopped before it was done.
    test_mode : str
        Of the data.
    units : dict of str to str
        Of the parameters.
    seed : int
        Of the random number generator.
    checkpoint : str
        The folder from which a stopped sampling can be resumed.
    continuation : object or None
        A `Continuation`, from which `extend` continues; held in memory only, not saved.
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
    curve_band: dict[str, NDArray[Any]] | None = None
    is_partial: bool = False
    test_mode: str = ""
    units: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    checkpoint: str = ""
    continuation: object | None = field(default=None, repr=False)

    @property
    def inference_arrays(self) -> InferenceArrays | None:
        """The arrays of `inference_data`, as long as the tree has not been built.

        For windows: building the tree imports `arviz_base`, which takes a second.
        """
        from rheojobs.inference.results.inference_arrays import InferenceArrays

        value = self.__dict__["_inference_data"]
        return value if isinstance(value, InferenceArrays) else None

    @property
    def doubt(self) -> str:
        """Why the draws should not be used as they are, in a few words; empty if they may be."""
        return doubt(self.diagnostics)

    @property
    def concerns(self) -> list[str]:
        """All that speaks against using the draws, the gravest first; empty if nothing does."""
        found = [str(text) for text in self.diagnostics.get("warnings", ())]
        if not found and self.doubt:
            found = [self.doubt]
        return [*(["the sampling was stopped before it was done"] * self.is_partial), *found]

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name, but for `inference_data` and `continuation`."""
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("inference_data", "continuation")
        }

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        from rheojobs.inference.results.html_view import posterior_html

        return posterior_html(self)

    def to_record(self) -> tuple[Any, Mapping[str, bytes]]:
        """Return the result as JSON and arrays, for the store of jobs; without `continuation`.

        `inference_data` is included only as long as the tree has not been built.
        """
        from rheojobs.inference.results.records import pack

        return pack(self.as_dict() | {"inference_data": self.inference_arrays})

    @classmethod
    def from_record(cls, content: Any, blobs: Mapping[str, bytes]) -> Self:
        """Return what `record` was called on."""
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
        """Read a result that `save` wrote; raises `InputError` if it is none."""
        return read_result(path, cls, cls._of_json)

    @classmethod
    def _of_json(cls, content: dict[str, Any]) -> Self:
        samples = content.get("posterior_samples", {})
        content["posterior_samples"] = {name: array(values) for name, values in samples.items()}
        intervals = content.get("credible_intervals")
        if intervals is not None:
            content["credible_intervals"] = {key: tuple(ends) for key, ends in intervals.items()}
        band = content.get("curve_band")
        if band is not None:
            content["curve_band"] = {key: array(values) for key, values in band.items()}
        return cls(**content)
