"""A preview of the posterior while the chains warm up: importance sampling at the maximum."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.cancellation import CancellationError
from rheojobs.inference.sampling.importance.mixture import Weighted, weighted_points
from rheojobs.inference.sampling.importance.modes import Modes

__all__ = ["Preview"]

logger = logging.getLogger(__name__)

STREAM = 2_000_017
"""Keeps the random numbers apart from those of the chains."""

POINTS = 1000
SECONDS = 0.02
"""No more points are evaluated after this time; only models that are slow take longer."""

LEVELS = {"q05": 0.05, "q95": 0.95}

type Draws = Mapping[str, NDArray[np.float64]]


class Preview:
    """Computes a preview on a thread of its own, since its program may have to be compiled.

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

    Attributes
    ----------
    metrics : dict
        For a progress report: ``preview``, once it is known, with ``k`` (the Pareto k̂ of the
        weights), ``words``, and ``summary`` (mean, std, q05 and q95 of each parameter), which is
        empty if the preview is not reliable.
    """

    def __init__(
        self,
        modes: Modes,
        named: Callable[[NDArray[np.float64]], Draws],
        seed: int,
        check: Callable[[], None],
    ) -> None:
        self._modes, self._named, self._seed, self._check = modes, named, seed, check
        self.metrics: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._work, name="rheojobs-preview", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until it is known, or was given up."""
        self._thread.join()

    def _work(self) -> None:
        try:
            self.metrics = {"preview": self._computed()}
        except CancellationError:
            pass
        except Exception as error:  # any exception of a model: the chains report it, or go on
            logger.info("there is no preview: %s", error)

    def _computed(self) -> dict[str, Any]:
        self._check()
        self._modes.prepare()
        end = time.perf_counter() + SECONDS
        random = np.random.default_rng(np.random.SeedSequence((self._seed, STREAM)))
        found = weighted_points(
            self._modes, POINTS, random, self._check, lambda: time.perf_counter() > end
        )
        where = "maximum" if len(self._modes.geometries) == 1 else "maxima"
        how = f"importance sampling at the {where}, k̂ = {found.k:.2f}"
        if found.is_reliable:
            words, summary = f"preview: {how}", _summary(found, self._named)
        else:
            percent = 100.0 * found.efficiency
            words, summary = f"no reliable preview: {how}, {percent:.0f} % of the points count", {}
        return {"k": found.k, "words": words, "summary": summary}


def _summary(
    found: Weighted, named: Callable[[NDArray[np.float64]], Draws]
) -> dict[str, dict[str, float]]:
    """Return the weighted mean, standard deviation and quantiles of each parameter."""
    used = found.shares > 0
    shares = found.shares[used]
    summary = {}
    for name, values in named(found.values[used]).items():
        mean = float(shares @ values)
        row = {"mean": mean, "std": float(np.sqrt(shares @ (values - mean) ** 2))}
        order = np.argsort(values)
        below = np.cumsum(shares[order]) - 0.5 * shares[order]
        ends = np.interp(list(LEVELS.values()), below, values[order])
        summary[name] = row | dict(zip(LEVELS, map(float, ends), strict=True))
    return summary
