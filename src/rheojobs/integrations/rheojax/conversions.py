"""Convert what RheoJAX's window passes to tasks, and results to the dicts that it expects.

Pure: no Qt, no engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.options import MAX_TREE_DEPTH
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.integrations.rheojax.hooks import ParameterDefault

__all__ = ["FitCall", "SampleCall", "fit_dict", "rheojax_weights", "sample_dict"]

LOGARITHMIC_DECADES = 8.0
"""Beyond so many decades of x, RheoJAX's fits take logarithms."""

TRANSIENT = ("startup", "creep", "relaxation", "laos")

PLAIN_RESIDUALS: dict[str, tuple[str, ...]] = {
    "generalized_maxwell": ("relaxation", "creep"),
    "fluidity_local": TRANSIENT,
    "fluidity_nonlocal": TRANSIENT,
    "fluidity_saramito_local": TRANSIENT,
    "fluidity_saramito_nonlocal": ("startup", "creep"),
    "fikh": TRANSIENT,
    "fmlikh": TRANSIENT,
}
"""The tests in which RheoJAX minimizes plain residuals of a model, not divided ones."""

SUCCESS = "Fit successful"
"""The message that the window does not show."""

MESSAGE_LENGTH = 60
"""Characters of a message: the window's labels do not wrap, so that longer ones widen it."""


def rheojax_weights(model_name: str, test_mode: str, x: NDArray[np.float64]) -> str:
    """Return the weights with which our fit has the same minimum as RheoJAX's."""
    positive = x[x > 0]
    if positive.size and np.log10(positive.max() / positive.min()) > LOGARITHMIC_DECADES:
        return "relative"
    return "uniform" if test_mode in PLAIN_RESIDUALS.get(model_name, ()) else "divided"


@dataclass(kw_only=True)
class _Call:
    """What fits and samplings share.

    Attributes
    ----------
    model_name, test_mode, model_config, metadata, dataset_id
        As RheoJAX passes them.
    x_data, y_data : array
        The data; `y_data` is complex for G*.
    y2_data : array, optional
        The imaginary part, if it is separate.
    objective : str
        ``"rheojax"``: its residuals, priors and noise; ``"rheojobs"``: those of our defaults.
    """

    model_name: str
    x_data: Any
    y_data: Any
    test_mode: str
    y2_data: Any = None
    metadata: Mapping[str, Any] | None = None
    dataset_id: str = ""
    model_config: Mapping[str, Any] | None = None
    objective: str = "rheojax"

    def dataset(self) -> Dataset:
        """Return the data, with the constants of the test that the metadata bring."""
        y = self.y_data if self.y2_data is None else self.y_data + 1j * np.asarray(self.y2_data)
        metadata = dict(self.metadata or {}) | {"test_mode": self.test_mode}
        source = SimpleNamespace(x=np.asarray(self.x_data), y=np.asarray(y), metadata=metadata)
        return Dataset.of(source)


@dataclass(kw_only=True)
class FitCall(_Call):
    """A fit as the window wants it.

    Attributes
    ----------
    initial_params : mapping
        Of each parameter its value, or a mapping with ``value``, ``bounds`` and ``fixed``.
    options : mapping
        Of its dialog. Only ``max_iter`` reaches RheoJAX's own optimizer; so it is here.
    """

    initial_params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def task(self, defaults: Mapping[str, ParameterDefault]) -> FitTask:
        """Return the task.

        The window always passes a whole table. Values that are a model's defaults are no start:
        ours is estimated from the data then.
        """
        data = self.dataset()
        start, fixed, bounds = {}, {}, {}
        for name, given in self.initial_params.items():
            if name not in defaults:
                continue
            row = given if isinstance(given, Mapping) else {"value": given}
            value = row.get("value", defaults[name].value)
            ends = row.get("bounds") or defaults[name].bounds
            if row.get("fixed"):
                fixed[name] = float(value)
                continue
            if value != defaults[name].value:
                start[name] = float(value)
            if tuple(ends) != defaults[name].bounds:
                bounds[name] = (float(ends[0]), float(ends[1]))
        options: dict[str, Any] = {
            "fixed": fixed,
            "bounds": bounds,
            "model_config": dict(self.model_config or {}),
        }
        if self.options.get("max_iter"):
            options["max_iter"] = int(self.options["max_iter"])
        if self.objective == "rheojax":
            options["weights"] = rheojax_weights(self.model_name, self.test_mode, data.x)
        return FitTask(self.model_name, data, start, options)


@dataclass(kw_only=True)
class SampleCall(_Call):
    """A sampling as the window wants it; the attributes are RheoJAX's arguments."""

    num_warmup: int = 1000
    num_samples: int = 2000
    num_chains: int = 4
    warm_start: Mapping[str, float] | None = None
    priors: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    target_accept: float = 0.8
    max_tree_depth: int | None = None
    fixed: Mapping[str, float] = field(default_factory=dict)

    def task(self, defaults: Mapping[str, ParameterDefault], own_priors: set[str]) -> SampleTask:
        """Return the task.

        Parameters
        ----------
        defaults : mapping
            The model's parameters. Priors of other names, such as the editor's ``sigma``, have no
            effect in RheoJAX.
        own_priors : set of str
            Parameters whose priors the model sets itself, before the user's.
        """
        like_rheojax = self.objective == "rheojax"
        used = defaults.keys() - self.fixed.keys() - (own_priors if like_rheojax else set())
        start = {k: float(v) for k, v in (self.warm_start or {}).items() if k in defaults}
        settings: dict[str, Any] = {}
        if like_rheojax:
            settings = {"likelihood": "constant", "default_priors": "rheojax"}
        return SampleTask(
            self.model_name,
            self.dataset(),
            num_warmup=self.num_warmup,
            num_samples=self.num_samples,
            num_chains=self.num_chains,
            seed=self.seed,
            priors={name: dict(prior) for name, prior in self.priors.items() if name in used},
            warm_start=start or None,
            target_accept=self.target_accept,
            max_tree_depth=min(self.max_tree_depth or MAX_TREE_DEPTH, MAX_TREE_DEPTH),
            model_config=dict(self.model_config or {}),
            fixed=dict(self.fixed),
            keep_predictions=False,
            **settings,
        )


def fit_dict(result: FitResult, call: FitCall) -> dict[str, Any]:
    """Return a fit as the dict of RheoJAX's `run_fit_isolated`.

    Parameters and covariance are in the alphabetical order of the names, since the window pairs
    the sorted names with the rows.
    """
    assert result.fitted is not None
    assert result.residuals is not None
    names = sorted(result.parameters)
    order = [list(result.parameters).index(name) for name in names]
    covariance = None
    if result.covariance is not None:
        covariance = np.asarray(result.covariance)[np.ix_(order, order)]
    y = result.fitted + result.residuals
    # As RheoJAX has them: sizes of complex residuals, plain real ones.
    residuals = np.abs(result.residuals) if np.iscomplexobj(y) else result.residuals
    left = float(np.sum(residuals**2))
    count, free = y.size, result.free
    return {
        "success": bool(result.success),
        "model_name": call.model_name,
        "parameters": {name: result.parameters[name] for name in names},
        "r_squared": _r_squared(result, y),
        "mpe": _mean_percentage(residuals, np.abs(y)),
        "chi_squared": float(np.sum(residuals**2)),
        "fit_time": result.fit_time,
        "timestamp": result.timestamp.replace(tzinfo=None).isoformat(),
        "num_iterations": result.n_iterations,
        "message": _message(result),
        "dataset_id": call.dataset_id,
        "x_fit": np.asarray(call.x_data),
        "y_fit": result.fitted,
        "residuals": residuals,
        "pcov": covariance,
        "reduced_chi_squared": float(np.sum(residuals**2)) / max(count - free, 1),
        "uncertainties": None if covariance is None else np.sqrt(np.diag(covariance)).tolist(),
        "rmse": float(np.sqrt(np.mean(residuals**2))),
        "mae": float(np.mean(np.abs(residuals))),
        "aic": 2.0 * free + count * float(np.log(max(left, 1e-300) / count)),
        "bic": free * float(np.log(count)) + count * float(np.log(max(left, 1e-300) / count)),
        "metadata": {
            "test_mode": call.test_mode,
            "weights": result.weights,
            "warnings": list(result.warnings),
        },
    }


def sample_dict(result: BayesianResult, call: SampleCall) -> dict[str, Any]:
    """Return a sampling as the dict of RheoJAX's `run_bayesian_isolated`."""
    arrays, band = result.inference_arrays, result.curve_band
    stats = {} if arrays is None else arrays.stats
    report = result.diagnostics
    bfmi = np.asarray(report["bfmi"], dtype=float)
    intervals = {
        name: tuple(float(end) for end in np.percentile(draws, (2.5, 50.0, 97.5)))
        for name, draws in result.posterior_samples.items()
    }
    return {
        "model_name": call.model_name,
        "dataset_id": call.dataset_id,
        "posterior_samples": dict(result.posterior_samples),
        "summary": result.summary,
        "r_hat": dict(report["r_hat"]),
        "ess": dict(report["ess_bulk"]),
        "divergences": int(report["divergences"]),
        "credible_intervals": intervals,
        "mcmc_time": result.sampling_time,
        "timestamp": result.timestamp.replace(tzinfo=None).isoformat(),
        "num_warmup": result.num_warmup,
        "num_samples": result.num_samples,
        "num_chains": result.num_chains,
        "inference_data": None,
        "sample_stats": {key: np.asarray(stats[key]) for key in ("energy", "diverging") if stats},
        "bfmi": float(bfmi.mean()) if bfmi.size else float("nan"),
        "diagnostics_valid": True,
        "y_band": None if band is None else (band["low"], band["high"]),
        "is_partial": result.is_partial,
        "wanted_samples": call.num_samples,
        "warnings": list(report["warnings"]),
    }


def _r_squared(result: FitResult, y: NDArray[Any]) -> float:
    """Return R² as RheoJAX has it: of the logarithms where these are fitted, else of the values.

    G' and G'' vary about their own means.
    """
    assert result.fitted is not None
    pairs = list(zip(parts_of(y), parts_of(result.fitted), strict=True))
    if result.weights == "relative":
        smallest = np.finfo(float).tiny
        pairs = [(np.log(np.abs(a) + smallest), np.log(np.abs(b) + smallest)) for a, b in pairs]
    left = sum(float(np.sum((seen - curve) ** 2)) for seen, curve in pairs)
    total = sum(float(np.sum((seen - seen.mean()) ** 2)) for seen, _ in pairs)
    return 1.0 - left / total if total > 0 else float("nan")


def _mean_percentage(residuals: NDArray[np.float64], sizes: NDArray[np.float64]) -> float:
    seen = sizes > 0
    return float(np.mean(np.abs(residuals[seen]) / sizes[seen]) * 100) if seen.any() else 0.0


def _message(result: FitResult) -> str:
    if not result.success:
        return _short(f"not converged: {result.message}")
    if result.warnings:
        count = len(result.warnings)
        return f"{count} warning{'s' if count > 1 else ''}, see the log"
    return SUCCESS


def _short(text: str) -> str:
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…"
