"""From draws to what a plot can show: predictive bands thin enough for the thread of the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results import BayesianResult

__all__ = ["Band", "diverging", "predictive_bands"]

_MAX_DRAWS = 1000
_MAX_POINTS = 200
_QUANTILES = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Band:
    """What holds 95 % of the predictions of one component, shapes (n,), ascending in x."""

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def predictive_bands(result: BayesianResult) -> list[Band]:
    """Give the posterior predictive band of each component; none where nothing was predicted.

    At most 200 points and 1,000 draws are used, evenly taken, so that it takes some ms.
    """
    found = _predictions(result)
    if found is None:
        return []
    x, components = found
    order = np.argsort(x, kind="stable")
    points = order[_evenly(x.size, _MAX_POINTS)]
    bands = []
    for values in components:
        draws = values.reshape(-1, x.size)
        picked = draws[np.ix_(_evenly(draws.shape[0], _MAX_DRAWS), points)]
        bands.append(Band(x[points], *np.quantile(picked, _QUANTILES, axis=0)))
    return bands


def diverging(result: BayesianResult) -> NDArray[np.bool_]:
    """Say of each draw, chain after chain, whether it diverged; shape (chains * draws,)."""
    arrays = result.inference_arrays
    if arrays is not None:
        return np.asarray(arrays.stats["diverging"], dtype=bool).reshape(-1)
    tree = result.inference_data
    if tree is None or "sample_stats" not in tree.children:
        return np.zeros(result.num_chains * result.num_samples, dtype=bool)
    return np.asarray(tree["sample_stats"]["diverging"].values, dtype=bool).reshape(-1)


def _predictions(
    result: BayesianResult,
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]] | None:
    """Give x, shape (n,), and the draws of each component, shape (chains, draws, n).

    Of the plain arrays, as they come from a worker: the tree is for those who have it already.
    """
    arrays = result.inference_arrays
    if arrays is not None:
        if arrays.evaluation is None:
            return None
        values = arrays.evaluation.predictive
        return arrays.data["constant_data"]["x"], [
            values[:, :, column] for column in range(values.shape[2])
        ]
    tree = result.inference_data
    if tree is None or "posterior_predictive" not in tree.children:
        return None
    groups = tree["posterior_predictive"].data_vars.values()
    return np.asarray(tree["constant_data"]["x"].values), [np.asarray(v.values) for v in groups]


def _evenly(size: int, count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, size - 1, min(size, count)).round().astype(np.int64))
