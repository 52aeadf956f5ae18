"""From draws to what a plot can show: predictive bands thin enough for the thread of the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.inference_data import arrays_of
from rheojobs.inference.results import BayesianResult

__all__ = ["Band", "predictive_bands"]

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
    x, components = _predictions(result)
    order = np.argsort(x, kind="stable")
    points = order[_evenly(x.size, _MAX_POINTS)]
    bands = []
    for values in components:
        draws = values.reshape(-1, x.size)
        picked = draws[np.ix_(_evenly(draws.shape[0], _MAX_DRAWS), points)]
        bands.append(Band(x[points], *np.quantile(picked, _QUANTILES, axis=0)))
    return bands


def _predictions(
    result: BayesianResult,
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Give x, and the predictions of each component, without ArviZ where they are arrays yet."""
    arrays = arrays_of(result)
    if arrays is not None:
        x = np.asarray(arrays.data["constant_data"]["x"])
        if arrays.evaluation is None:
            return x, []
        return x, list(np.moveaxis(arrays.evaluation.predictive, 2, 0))
    tree = result.inference_data
    if tree is None or "posterior_predictive" not in tree.children:
        return np.empty(0), []
    x = np.asarray(tree["constant_data"]["x"].values)
    predicted = tree["posterior_predictive"].data_vars.values()
    return x, [np.asarray(values.values) for values in predicted]


def _evenly(size: int, count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, size - 1, min(size, count)).round().astype(np.int64))
