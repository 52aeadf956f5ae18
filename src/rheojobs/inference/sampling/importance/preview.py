"""A preview of the posterior before the first draws: importance sampling at the maximum."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.inference.results.pareto_smoothing import smoothed
from rheojobs.inference.sampling.importance.mixture import Weighted, weighted_points
from rheojobs.inference.sampling.importance.modes import Modes

__all__ = ["preview_of"]

logger = logging.getLogger(__name__)

STREAM = 2_000_017
"""Keeps the random numbers apart from those of the chains."""

POINTS = 1000
SECONDS = 0.02
"""No more points are evaluated after this time; only models that are slow take longer."""

NO_MEAN = 1.0
"""A distribution whose tail has this k̂, or a larger one, has no mean."""

LEVELS = {"q05": 0.05, "q95": 0.95}

type Draws = Mapping[str, NDArray[np.float64]]


def preview_of(
    modes: Modes,
    named: Callable[[NDArray[np.float64]], Draws],
    seed: int,
    check: Callable[[], None],
) -> dict[str, Any]:
    """Return a preview of a posterior, as a progress report has it; empty if there can be none.

    Parameters
    ----------
    modes : Modes
        The maxima of the posterior.
    named : callable
        Returns the values of the parameters, (n,) each, at values of the sites, (n, d).
    seed : int
        Of the points.
    check : callable
        Called before each call of the model; may raise.

    Returns
    -------
    dict
        ``preview``, with ``k`` (the Pareto k̂ of the weights), ``words``, and ``summary`` (mean,
        std, q05 and q95 of each parameter), which is empty if the preview is not reliable. The
        mean and std of a parameter with a very long tail are NaN.
    """
    try:
        modes.prepare()
        end = time.perf_counter() + SECONDS
        random = np.random.default_rng(np.random.SeedSequence((seed, STREAM)))
        found = weighted_points(modes, POINTS, random, check, lambda: time.perf_counter() > end)
        where = "maximum" if len(modes.geometries) == 1 else "maxima"
        how = f"importance sampling at the {where}, k̂ = {found.k:.2f}"
        if found.is_reliable:
            words, summary = f"preview: {how}", _summary(found, named)
        else:
            percent = 100.0 * found.efficiency
            words, summary = f"no reliable preview: {how}, {percent:.0f} % of the points count", {}
    except CancellationError:
        raise
    except Exception as error:  # any exception of a model, which its chains report if they have it
        logger.info("there is no preview: %s", error)
        return {}
    return {"preview": {"k": found.k, "words": words, "summary": summary}}


def _summary(
    found: Weighted, named: Callable[[NDArray[np.float64]], Draws]
) -> dict[str, dict[str, float]]:
    """Return the weighted mean, standard deviation and quantiles of each parameter.

    A parameter whose squared deviations have too long a tail has quantiles only.
    """
    used = found.shares > 0
    shares, log_weights = found.shares[used], found.log_weights[used]
    summary = {}
    for name, values in named(found.values[used]).items():
        mean = float(shares @ values)
        squares = (values - mean) ** 2
        row = {"mean": mean, "std": float(np.sqrt(shares @ squares))}
        with np.errstate(divide="ignore"):
            _, k = smoothed(log_weights + np.log(squares))
        if k >= NO_MEAN:
            row = dict.fromkeys(row, math.nan)
        order = np.argsort(values)
        below = np.cumsum(shares[order]) - 0.5 * shares[order]
        ends = np.interp(list(LEVELS.values()), below, values[order])
        summary[name] = row | dict(zip(LEVELS, map(float, ends), strict=True))
    return summary
