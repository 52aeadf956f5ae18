"""Leave-one-out scores of posteriors, by ArviZ, and the evidence of their models.

Each measured value is left out once; for an oscillation, G' and G'' are separate values. This runs
in the worker that has sampled, since smoothing the weights of many points takes time.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.errors import RheojobsError
from rheojobs.inference.comparison.ranking import ComparedModel, LooScore, scale_to_data
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.evidence import UNKNOWN, Evidence, probabilities
from rheojobs.inference.sampling.checkpoints import Leftover
from rheojobs.inference.sampling.task import SampleTask

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["Scored", "ScoredSampling", "relate", "score", "with_scores"]

SAME_LIKELIHOOD = 1e-9
"""A log likelihood that varies by less between draws counts as constant."""


MAX_ROUNDS = 100_000
STACKED = 1e-3
"""How far the score of stacked models may end below the best one."""


@dataclass(frozen=True, eq=False)
class Scored:
    """A posterior and its leave-one-out score.

    Attributes
    ----------
    posterior : BayesianResult
        The draws.
    pointwise : ndarray, shape (values,)
        Expected log predictive density of each value.
    loo : LooScore
        The sums.
    evidence : Evidence
        Of the model, for the measured quantity.
    """

    posterior: BayesianResult
    pointwise: NDArray[np.float64]
    loo: LooScore
    evidence: Evidence = UNKNOWN


@dataclass
class ScoredSampling:
    """A sampling followed by scoring its posterior, as data.

    Parameters
    ----------
    sampling : SampleTask
        The sampling.
    """

    sampling: SampleTask

    max_attempts = SampleTask.max_attempts

    @property
    def name(self) -> str:
        """The label that is shown to users."""
        return self.sampling.name

    @property
    def affinity(self) -> str:
        """Tasks of one affinity share compiled programs."""
        return self.sampling.affinity

    @property
    def folder(self) -> str | Path | None:
        """The folder of its files on the machine of the application: the sampling's checkpoint."""
        return self.sampling.folder

    def validate(self) -> None:
        """Check all that can be checked without JAX."""
        self.sampling.validate()

    @property
    def leftover(self) -> Leftover | None:
        """The checkpoint of the sampling."""
        return self.sampling.leftover

    def run(self, context: TaskContext) -> Scored:
        """Sample, and score."""
        posterior, evidence = self.sampling.run_with_evidence(context)
        context.progress(0, 0, "leaving out one value at a time", stage="loo")
        with context.unstoppable():
            scored = score(self.sampling.dataset, posterior, evidence)
        context.check()
        posterior.continuation = None  # large, and not needed for a comparison
        return scored


def score(dataset: Dataset, posterior: BayesianResult, evidence: Evidence = UNKNOWN) -> Scored:
    """Score a posterior by PSIS-LOO, with densities of the measured quantity.

    Parameters
    ----------
    dataset : Dataset
        The data as measured: the model may predict viscosity while these are stresses.
    posterior : BayesianResult
        With a log likelihood of each value.
    evidence : Evidence, optional
        For the quantity that the model predicts.
    """
    from arviz_stats.loo import loo

    tree = posterior.inference_data
    if tree is None or "log_likelihood" not in tree.children:
        raise RheojobsError("there are no likelihoods to leave values out of: too few draws")
    likelihood = _values(tree)
    if "y" in tree["observed_data"]:
        # p(σ) = p(η) |dη/dσ|: densities of different quantities cannot be compared.
        observed = np.asarray(tree["observed_data"]["y"])
        shift = np.log(np.abs(scale_to_data(dataset, observed)))
        likelihood = likelihood - shift
        evidence = evidence.shifted(-float(shift.sum()))
    chains, draws, _ = likelihood.shape
    pointwise = likelihood.mean(axis=(0, 1))
    # With known noise, a value that depends on no sampled parameter is equally likely under each
    # draw: leaving it out changes nothing, and there is no tail for ArviZ to smooth.
    hangs = np.ptp(likelihood, axis=(0, 1)) > SAME_LIKELIHOOD
    if not hangs.any():
        raise RheojobsError("the data do not depend on the sampled parameters: nothing to score")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a large Pareto k, which is part of the score
        found = loo(
            _as_tree(likelihood[..., hangs]),
            pointwise=True,
            reff=_relative_efficiency(posterior, chains * draws),
        )
    pareto_k = np.asarray(found.pareto_k)
    good_k = float(found.good_k)
    pointwise[hangs] = np.asarray(found.elpd_i)
    summary = LooScore(
        elpd=float(pointwise.sum()),
        se=_error_of_sum(pointwise),
        p=float(found.p),
        bad_k=int(np.sum(~(pareto_k <= good_k))),
        good_k=good_k,
        worst_k=float(pareto_k.max()),
    )
    return Scored(posterior, pointwise, summary, evidence)


def _values(tree: DataTree) -> NDArray[np.float64]:
    """Return the log likelihood of all values, (chains, draws, values), components concatenated."""
    return np.concatenate(
        [np.asarray(part) for part in tree["log_likelihood"].data_vars.values()], axis=-1
    )


def _as_tree(likelihood: NDArray[np.float64]) -> Any:
    from arviz_base import from_dict

    return from_dict(
        {"posterior": {"unused": likelihood[..., 0]}, "log_likelihood": {"y": likelihood}},
        dims={"y": ["value"]},
    )


def with_scores(rows: Iterable[ComparedModel], scored: Mapping[str, Scored]) -> list[ComparedModel]:
    """Return the models with their posteriors, scores and probabilities, if they were sampled."""
    scores = relate(scored)
    chances = probabilities({label: one.evidence for label, one in scored.items()})
    return [
        replace(
            row,
            loo=scores[row.label],
            posterior=scored[row.label].posterior,
            evidence=scored[row.label].evidence,
            probability=chances.get(row.label, math.nan),
        )
        if row.label in scored
        else row
        for row in rows
    ]


def relate(scored: Mapping[str, Scored]) -> dict[str, LooScore]:
    """Return the scores of several models with their differences from the best, and weights.

    The standard error of a difference is that of the sum of the pointwise differences.
    """
    if not scored:
        return {}
    best = max(scored.values(), key=lambda one: one.loo.elpd)
    weights = _stacking(scored)
    related = {}
    for label, one in scored.items():
        apart = one.pointwise - best.pointwise
        related[label] = replace(
            one.loo,
            difference=float(apart.sum()),
            difference_se=_error_of_sum(apart),
            weight=weights[label],
        )
    return related


def _error_of_sum(pointwise: NDArray[np.float64]) -> float:
    """Return the standard error of the sum of a score of each value (Vehtari et al. 2017)."""
    return float(np.sqrt(pointwise.size * np.var(pointwise, ddof=1)))


def _relative_efficiency(posterior: BayesianResult, count: int) -> float:
    """Return the effective draws of the parameters' means over all draws, as ArviZ does.

    A parameter for which that is not known is left out.
    """
    rows = [row for row in posterior.summary.values() if row["mcse_mean"] > 0]
    sizes = [(row["std"] / row["mcse_mean"]) ** 2 for row in rows]
    known = [size for size in sizes if np.isfinite(size)]
    return min(1.0, float(np.mean(known)) / count) if known else 1.0


def _stacking(scored: Mapping[str, Scored]) -> dict[str, float]:
    """Return weights of predictive distributions for the best mixture (Yao et al. 2018)."""
    if len(scored) == 1:
        return dict.fromkeys(scored, 1.0)
    densities = np.stack([one.pointwise for one in scored.values()])
    densities = np.exp(densities - densities.max(axis=0))
    weights = np.full(len(scored), 1.0 / len(scored))
    for _ in range(MAX_ROUNDS):  # expectation maximization: the problem is concave
        gains = (densities / (weights @ densities)).mean(axis=1)
        # No weights give a mean logarithm of the density that is higher by more than this.
        if np.log(gains.max()) * densities.shape[1] < STACKED:
            break
        weights = weights * gains
    return dict(zip(scored, weights.tolist(), strict=True))
