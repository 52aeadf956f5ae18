"""Compute predictive bands from draws, quickly enough for the thread of a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.results.bayesian_result import BayesianResult

__all__ = ["Band", "diverging", "predictive_bands"]

_MAX_DRAWS = 1000
_MAX_POINTS = 200
_QUANTILES = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Band:
    """The band of 95 % of the predictions of one component, shapes (n,), ascending in x."""

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def predictive_bands(result: BayesianResult) -> list[Band]:
    """Return the posterior predictive band of each component; none if nothing was predicted.

    At most 200 points and 1,000 draws are used, evenly spaced, so that it takes a few ms.
    """
    found = _predictions(result)
    if found is None:
        return []
    x, components = found
    return [
        Band(x, *np.quantile(values.reshape(-1, x.size), _QUANTILES, axis=0))
        for values in components
    ]


def diverging(result: BayesianResult) -> NDArray[np.bool_]:
    """Return whether each draw diverged, chain after chain; shape (chains * draws,)."""
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
    """Return some of x, ascending, and some draws of each component, shape (chains, draws, n).

    Uses the plain arrays that come from a worker, or the tree if it is already built.
    """
    arrays = result.inference_arrays
    if arrays is not None:
        predictions = arrays.predictions
        if predictions is None:
            return None
        x = arrays.data["constant_data"]["x"]
        rows, points = _picked(predictions.predicted.shape, x)
        values = predictions.thinned(rows, points).predictive()
        return x[points], [values[:, :, column] for column in range(values.shape[2])]
    tree = result.inference_data
    if tree is None or "posterior_predictive" not in tree.children:
        return None
    groups = [np.asarray(v.values) for v in tree["posterior_predictive"].data_vars.values()]
    x = np.asarray(tree["constant_data"]["x"].values)
    rows, points = _picked(groups[0].shape, x)
    return x[points], [values[:, rows][..., points] for values in groups]


def _picked(
    shape: tuple[int, ...], x: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose draws of each chain, shape (chains, draws, ...), and points in the order of x."""
    order = np.argsort(x, kind="stable")
    rows = evenly(shape[1], max(1, _MAX_DRAWS // shape[0]))
    return rows, order[evenly(x.size, _MAX_POINTS)]
