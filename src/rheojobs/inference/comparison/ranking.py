"""Rank models fitted to the same data: the result of a comparison, and its arithmetic.

Akaike weights after Burnham & Anderson, Model Selection and Multimodel Inference (2002), ch. 2;
leave-one-out after Vehtari, Gelman & Gabry, Stat. Comput. 27 (2017). Imports no JAX.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.statistics import r_squared
from rheojobs.inference.problem.weights import default_weights
from rheojobs.inference.results.json_format import to_json

if TYPE_CHECKING:
    from rheojobs.inference.results.bayesian_result import BayesianResult
    from rheojobs.inference.results.evidence import Evidence
    from rheojobs.inference.results.fit_result import FitResult

__all__ = [
    "ComparedModel",
    "Comparison",
    "LeftOut",
    "LooScore",
    "as_measured",
    "common_data",
    "common_weights",
    "compared",
    "rank",
    "same_curve",
    "scale_to_data",
]

SAME_CURVE = 1e-2
"""Curves that differ by less than this part of the scatter about them count as the same."""


@dataclass(frozen=True)
class LooScore:
    """How well a posterior predicts each value from the others, by PSIS-LOO.

    Attributes
    ----------
    elpd, se : float
        Expected log predictive density of all values, and its standard error.
    p : float
        Effective number of parameters.
    difference, difference_se : float
        Of `elpd` from the best model's, and its standard error; zero for the best.
    weight : float
        By stacking of the predictive distributions.
    bad_k : int
        How many values have a Pareto k above `good_k`: with any, `elpd` is not reliable.
    good_k, worst_k : float
        The limit, and the largest Pareto k.
    """

    elpd: float
    se: float
    p: float
    bad_k: int
    good_k: float
    worst_k: float
    difference: float = 0.0
    difference_se: float = 0.0
    weight: float = math.nan


@dataclass(frozen=True, eq=False)
class ComparedModel:
    """A fitted model with its place in the ranking.

    Attributes
    ----------
    label : str
        The model's name, with its settings if there are any.
    fit : FitResult
        Its fit.
    free : int
        The number of free parameters, without the size of the noise.
    r_squared : float
        Of the measured quantity, even if the model predicts another one.
    delta : float
        AICc minus the smallest one.
    weight : float
        Akaike weight; NaN if the curve and the number of parameters are those of `same_as`, or
        if the fit did not converge.
    same_as : str
        The better placed model from which these data cannot distinguish this one; else empty.
    loo : LooScore or None
        The score, if it was sampled.
    posterior : BayesianResult or None
        The posterior, if it was sampled.
    evidence : Evidence or None
        The evidence, if it was sampled.
    probability : float
        Of the model among those with an evidence, if all are equally probable before the data;
        NaN without an evidence.
    """

    label: str
    fit: FitResult
    free: int
    r_squared: float
    delta: float = math.nan
    weight: float = math.nan
    same_as: str = ""
    loo: LooScore | None = None
    posterior: BayesianResult | None = None
    evidence: Evidence | None = None
    probability: float = math.nan

    @property
    def posterior_warnings(self) -> list[str]:
        """The warnings about its draws."""
        told = () if self.posterior is None else self.posterior.diagnostics.get("warnings", ())
        return [str(words) for words in told]


@dataclass(frozen=True)
class LeftOut:
    """A model that is not ranked, or whose posterior is not, and why.

    Attributes
    ----------
    label, reason : str
        The model, and one line.
    kind : str
        ``"unsuitable"``, ``"failed"``, ``"stopped"`` or ``"not sampled"``.
    """

    label: str
    reason: str
    kind: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models compared on the same data, with the same weights.

    Attributes
    ----------
    dataset : Dataset
        The data that all were fitted to.
    weights : str
        ``"relative"``, ``"divided"``, ``"uniform"`` or ``"sigma"``, for all of them.
    models : tuple of ComparedModel
        Best first: by AICc, or those that were sampled by LOO before the rest.
    left_out : tuple of LeftOut
        The others.
    by_loo : bool
        Whether the best were sampled and are ranked by LOO.
    is_partial : bool
        Whether it was stopped before all models were done.
    notes : tuple of str
        Decisions for all of them, in plain words.
    """

    dataset: Dataset
    weights: str
    models: tuple[ComparedModel, ...]
    left_out: tuple[LeftOut, ...] = ()
    by_loo: bool = False
    is_partial: bool = False
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> ComparedModel:
        """The first of the ranking; raises `InputError` if no model could be fitted."""
        if not self.models:
            raise InputError("no model could be fitted: there is no best one")
        return self.models[0]

    def as_dict(self) -> dict[str, Any]:
        """Return all values except the draws, as types of JSON."""
        data = self.dataset
        return {
            "data": {"name": data.name, "test_mode": data.test_mode, "points": len(data)},
            "weights": self.weights,
            "ranked_by": "loo" if self.by_loo else "aicc",
            "is_partial": self.is_partial,
            "notes": list(self.notes),
            "models": [_facts(place, row) for place, row in enumerate(self.models, 1)],
            "left_out": [vars(row) for row in self.left_out],
        }

    def to_json(self) -> str:
        """Write all facts, the draws excepted."""
        return to_json(self)

    def save(self, path: str | Path) -> None:
        """Write all values except the draws as JSON."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")


def _facts(place: int, row: ComparedModel) -> dict[str, Any]:
    fit = row.fit
    return {
        "rank": place,
        "model": row.label,
        "converged": fit.success,
        "free_parameters": row.free,
        "fixed": dict(fit.fixed),
        "tied": dict(fit.tied),
        "aicc": fit.aicc,
        "delta": row.delta,
        "weight": row.weight,
        "same_as": row.same_as or None,
        "r_squared": row.r_squared,
        "loo": None if row.loo is None else vars(row.loo),
        "evidence": None if row.evidence is None else vars(row.evidence),
        "probability": row.probability,
        "posterior_summary": None if row.posterior is None else row.posterior.summary,
        "posterior_warnings": row.posterior_warnings,
        "fit": fit.as_dict(),
    }


def common_data(dataset: Dataset) -> Dataset:
    """Set the quantity of a flow curve that has none, so that all models are fitted to the same."""
    if dataset.test_mode != "flow_curve":
        return dataset
    stress = dataset.as_flow_quantity("stress")
    return stress if stress.y is dataset.y else dataset


def common_weights(dataset: Dataset) -> str:
    """Choose the weights for all models, by the rule of a single fit.

    For a flow curve they are relative if possible, since models of stress and of viscosity have
    only relative residuals in common.
    """
    if dataset.test_mode == "flow_curve" and dataset.sigma is None:
        return "relative" if dataset.y.min() > 0 else "uniform"
    return default_weights(dataset)[0]


def scale_to_data(dataset: Dataset, observed: NDArray[Any]) -> NDArray[np.float64]:
    """Return the factors, (n,), from the fitted quantity, (n,), to the measured one."""
    if dataset.test_mode != "flow_curve" or np.allclose(observed, dataset.y, rtol=1e-6, atol=0):
        return np.ones(len(dataset))
    return dataset.x if "stress" in dataset.quantity else 1.0 / dataset.x


def as_measured(dataset: Dataset, fit: FitResult) -> NDArray[Any]:
    """Return the fitted curve, (n,), in the measured quantity."""
    assert fit.fitted is not None
    assert fit.residuals is not None
    return np.asarray(fit.fitted * scale_to_data(dataset, fit.fitted + fit.residuals))


def compared(label: str, dataset: Dataset, fit: FitResult) -> ComparedModel:
    """Make a compared model of a fit; `rank` sets its place."""
    curve = as_measured(dataset, fit)
    quality = fit.r_squared
    if not np.iscomplexobj(curve):
        sigma = None
        if fit.weights == "sigma" and dataset.sigma is not None:
            sigma = dataset.sigma.real[None]
        quality = r_squared(dataset.y.real[None], curve[None], fit.weights == "relative", sigma)
    return ComparedModel(label, fit, fit.free, quality)


def rank(dataset: Dataset, models: Sequence[ComparedModel]) -> tuple[ComparedModel, ...]:
    """Order models by AICc, smallest first, and give each its difference and Akaike weight.

    A fit that did not converge has no weight: its AICc is not yet that of the model.
    """
    order = sorted(models, key=lambda row: (not math.isfinite(row.fit.aicc), row.fit.aicc))
    order = _mark_twins(dataset, order)
    best = order[0].fit.aicc if order else math.nan
    deltas = [row.fit.aicc - best if math.isfinite(best) else math.nan for row in order]
    strengths = [
        math.exp(-delta / 2)
        if math.isfinite(delta) and row.fit.success and not row.same_as
        else math.nan
        for row, delta in zip(order, deltas, strict=True)
    ]
    total = float(np.nansum(strengths))
    return tuple(
        replace(row, delta=delta, weight=strength / total if total > 0 else math.nan)
        for row, delta, strength in zip(order, deltas, strengths, strict=True)
    )


def _mark_twins(dataset: Dataset, order: Sequence[ComparedModel]) -> list[ComparedModel]:
    """Mark models with the curve and the number of parameters of a better placed one.

    Two models that these data cannot distinguish would each get half of the weight.
    """
    marked: list[ComparedModel] = []
    for row in order:
        twin = next(
            (
                other.label
                for other in marked
                if not other.same_as
                and other.free == row.free
                and same_curve(dataset, other.fit, row.fit)
            ),
            "",
        )
        marked.append(replace(row, same_as=twin))
    return marked


def _in_deviations(values: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Return values, (n,), in units of the data's standard deviations; G' and G'' separately."""
    sigma = dataset.sigma
    assert sigma is not None
    if np.iscomplexobj(sigma):
        return np.asarray(values.real / sigma.real + 1j * values.imag / sigma.imag)
    return np.asarray(values / sigma)


def same_curve(dataset: Dataset, one: FitResult, other: FitResult) -> bool:
    """Whether two curves differ by much less than the data scatter about the first."""
    curve = as_measured(dataset, one)
    apart, left = curve - as_measured(dataset, other), dataset.y - curve
    if one.is_relative:
        size = np.maximum(np.abs(dataset.y), np.finfo(float).tiny)
        apart, left = apart / size, left / size
    elif one.weights == "sigma" and dataset.sigma is not None:
        apart, left = _in_deviations(apart, dataset), _in_deviations(left, dataset)
    return bool(np.linalg.norm(apart) <= SAME_CURVE * np.linalg.norm(left))
