"""Predict the data at the draws of a posterior: whole, or as the band of the curves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.problem.observations import Observations
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.predictions import Predictions
from rheojobs.inference.sampling.programs import programs_of
from rheojobs.machine import processors

__all__ = [
    "draws_in_a_call",
    "in_blocks",
    "predicted_band",
    "predictions_at",
    "prepare",
    "thinning",
]

MAX_POINTWISE_VALUES = 2e7
"""Limit on predictions times draws stored with the result; beyond it draws are left out."""

EVALUATED_VALUES = 250_000
"""Limit on predictions computed in one call: usually a few milliseconds."""

EVALUATED_DRAWS = (1000, 500, 250, 125, 60, 30, 15, 8, 4, 2, 1)
"""Numbers of draws of one call, a compiled program each; usual numbers of draws are multiples."""

SOLVED_DRAWS = 250
"""Most draws of one call if equations are solved: a cancellation waits for the call to end."""

WORTH_A_THREAD = 0.05
"""Seconds of work below which threads do not pay: a short program uses all cores."""

BAND_DRAWS = 250
"""Curves from which the quantiles of a band are taken."""

FEWEST_BAND_DRAWS = 25
"""With fewer, a partial result has no band."""

BAND_LEVELS = {"low": 0.025, "median": 0.5, "high": 0.975}

QUICK_CALL = 0.1
"""Seconds of a call that a cancellation may wait for."""


def thinning(seen: Observations, count: int) -> int:
    """Return k, if every k-th of so many draws is stored with its predictions."""
    values: int = count * seen.y.shape[0] * seen.n
    return max(1, math.ceil(values / MAX_POINTWISE_VALUES))


def draws_in_a_call(problem: Problem) -> int:
    """Return the number of draws whose predictions are computed in one call."""
    few = EVALUATED_VALUES / problem.observations.y.size
    if problem.model.forward_mode:
        few = min(few, SOLVED_DRAWS)
    return next((count for count in EVALUATED_DRAWS if count <= few), 1)


def in_blocks(
    function: Callable[[NDArray[np.float64]], tuple[Any, ...]],
    rows: NDArray[np.float64],
    block: int,
) -> list[NDArray[np.float64]]:
    """Apply a compiled program to rows in blocks of one size, so that it compiles once.

    If the first block takes so long that it pays, the others are computed in parallel on all
    cores.
    """
    count = rows.shape[0]

    def apply(start: int) -> list[NDArray[Any]]:
        part = rows[start : start + block]
        filled = part if part.shape[0] == block else np.resize(part, (block, part.shape[1]))
        return [np.asarray(item) for item in function(filled)]

    began = time.perf_counter()
    first = apply(0)
    outputs = [np.empty((count, *item.shape[1:])) for item in first]

    def keep(start: int, found: list[NDArray[Any]]) -> None:
        for whole, item in zip(outputs, found, strict=True):
            whole[start : start + block] = item[: count - start]

    keep(0, first)
    rest = range(block, count, block)
    if (time.perf_counter() - began) * len(rest) < WORTH_A_THREAD:
        for start in rest:
            keep(start, apply(start))
        return outputs
    with ThreadPoolExecutor(min(processors(), len(rest))) as pool:
        # Each thread writes its own rows: first touching the pages of a new array is slow.
        for _ in pool.map(lambda start: keep(start, apply(start)), rest):
            pass
    return outputs


def predictions_at(
    posterior: Posterior, sites: NDArray[np.float64], seed: int, check: Callable[[], None]
) -> Predictions:
    """Compute the model's predictions at the draws, or at every k-th of them.

    Parameters
    ----------
    posterior : Posterior
        What was sampled.
    sites : ndarray, shape (chains, draws, d)
        The sites' values.
    seed : int
        Of the noise of new observations.
    check : callable
        Called between two calls of the model.
    """
    chains, count, _ = sites.shape
    picked = np.arange(0, count, thinning(posterior.problem.observations, chains * count))
    sites = sites[:, picked]
    curves = _curves(posterior, sites.reshape(-1, sites.shape[-1]), check)
    return posterior.predictions(
        picked, curves.reshape(chains, picked.size, *curves.shape[1:]), sites, seed
    )


def predicted_band(
    posterior: Posterior,
    sites: NDArray[np.float64],
    predictions: Predictions | None,
    check: Callable[[], None] | None,
) -> dict[str, NDArray[Any]] | None:
    """Return quantiles of the model's curves at some of the draws.

    Parameters
    ----------
    posterior : Posterior
        What was sampled.
    sites : ndarray, shape (chains, draws, d)
        The sites' values.
    predictions : Predictions or None
        The curves, if they are known.
    check : callable or None
        Called between two calls of the model; None allows one quick call.

    Returns
    -------
    dict of str to ndarray, shape (n,), or None
        As `BayesianResult.curve_band`; None if one quick call is not enough.
    """
    problem = posterior.problem
    if predictions is not None:
        curves = predictions.predicted.reshape(-1, *predictions.predicted.shape[2:])
        curves = curves[evenly(len(curves), BAND_DRAWS)]
    else:
        rows = sites.reshape(-1, sites.shape[-1])
        if check is None and _call_seconds(posterior) > QUICK_CALL:
            return None
        at_once = draws_in_a_call(problem)
        few = min(BAND_DRAWS, at_once) if check is None else BAND_DRAWS
        if few < FEWEST_BAND_DRAWS:
            return None
        curves = _curves(posterior, rows[evenly(len(rows), few)], check or _no_check)
    found = np.quantile(curves, list(BAND_LEVELS.values()), axis=0)
    values = found[:, 0] + 1j * found[:, 1] if problem.is_complex else found[:, 0]
    return {"x": problem.dataset.x, **dict(zip(BAND_LEVELS, values, strict=True))}


def prepare(posterior: Posterior) -> None:
    """Compile the program of predictions, so that a cancellation need not wait for it."""
    _, x, _, mask, _ = posterior.data
    rows = np.zeros((draws_in_a_call(posterior.problem), len(posterior.sites)))
    programs_of(posterior).predict.prepare(rows, x, mask)


def _curves(
    posterior: Posterior, rows: NDArray[np.float64], check: Callable[[], None]
) -> NDArray[np.float64]:
    """Return the model's curves, shape (k, c, n), at the sites' values, shape (k, d)."""
    n, kernels = posterior.problem.observations.n, programs_of(posterior)
    _, x, _, mask, _ = posterior.data

    def predict(part: NDArray[np.float64]) -> tuple[Any, ...]:
        check()
        predicted, _penalty = kernels.predict(part, x, mask)
        return (np.asarray(predicted)[..., :n],)

    (curves,) = in_blocks(predict, rows, draws_in_a_call(posterior.problem))
    return curves


def _call_seconds(posterior: Posterior) -> float:
    """Estimate how long a call of the predictions takes, from the leapfrogs of the sampling."""
    seen = posterior.problem.observations
    each = programs_of(posterior).pace(posterior.priors, seen.y).seconds
    return each * draws_in_a_call(posterior.problem)


def _no_check() -> None:
    """Do not check for cancellation."""
