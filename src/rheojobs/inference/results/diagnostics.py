"""Summaries and diagnostics of draws, in numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.convergence import (
    FEWEST_DRAWS,
    Convergence,
    quantiles,
    still_chains,
)
from rheojobs.inference.results.thresholds import Verdict, verdict

__all__ = [
    "QUANTILES",
    "bfmi",
    "credible_intervals",
    "is_good",
    "not_finite",
    "still",
    "stuck_chains",
    "summarize",
]

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
"""The quantiles in a summary."""

SUMMARIZED_AT_ONCE = 50_000
"""Draws, of all parameters together, that one part of a summary covers: about 20 ms."""

Draws = Mapping[str, NDArray[np.float64]]


def summarize(draws: Draws, check: Callable[[], None] | None = None) -> dict[str, dict[str, float]]:
    """Summarize each parameter.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (chains, draws)
    check : callable, optional
        Called before each part of the work, so that it can be cancelled in between.

    Returns
    -------
    dict of str to dict of str to float
        mean, std, median, q05, q25, q75, q95, mcse_mean, ess_bulk, ess_tail, r_hat. What
        cannot be computed from so few draws is NaN.
    """
    found: dict[str, dict[str, float]] = {}
    size = next((values.size for values in draws.values()), 1)
    for names in itertools.batched(draws, max(1, SUMMARIZED_AT_ONCE // size)):
        if check is not None:
            check()
        found |= _summaries(names, np.stack([draws[name] for name in names]))
    return found


def _summaries(names: Sequence[str], stacked: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Summarize some parameters, shape (p, chains, draws)."""
    found_quantiles = quantiles(stacked, list(QUANTILES.values()))
    with np.errstate(invalid="ignore"):  # of draws that are not finite, whose NaN is the answer
        columns: dict[str, NDArray[np.float64]] = {
            "mean": stacked.mean(axis=(1, 2)),
            "std": stacked.std(axis=(1, 2), ddof=1)
            if stacked[0].size > 1
            else np.zeros(len(names)),
            **dict(zip(QUANTILES, found_quantiles, strict=True)),
        }
    unknown = np.full(len(names), np.nan)
    columns |= dict.fromkeys(("mcse_mean", "ess_bulk", "ess_tail", "r_hat"), unknown)
    if stacked.shape[2] >= FEWEST_DRAWS:
        with np.errstate(all="ignore"):  # constant draws, whose NaN is the answer
            found = Convergence(stacked)
            columns["mcse_mean"] = columns["std"] / np.sqrt(found.ess_mean)
        columns["ess_bulk"], columns["ess_tail"] = found.ess_bulk, found.ess_tail
        columns["r_hat"] = found.r_hat
    return {
        name: {key: float(values[row]) for key, values in columns.items()}
        for row, name in enumerate(names)
    }


def stuck_chains(draws: Draws) -> int:
    """Count the chains that never moved; 0 for fewer than two draws each, which cannot show it."""
    stacked = np.stack(list(draws.values()))
    if stacked.shape[2] < 2:
        return 0
    return int(still_chains(stacked).all(axis=0).sum())


def still(draws: Draws) -> list[str]:
    """Name the parameters that do not move in at least one of the chains."""
    return [
        name
        for name, values in draws.items()
        if values.shape[1] >= FEWEST_DRAWS and still_chains(values[None]).any()
    ]


def not_finite(draws: Draws) -> list[str]:
    """Name the parameters with a draw that is not finite."""
    return [name for name, values in draws.items() if not np.isfinite(values).all()]


def bfmi(energy: NDArray[np.float64]) -> list[float]:
    """Return the Bayesian fraction of missing information of each chain.

    Parameters
    ----------
    energy : ndarray, shape (chains, draws)
    """
    if energy.shape[1] < 4:
        return [float("nan")] * energy.shape[0]
    steps = np.diff(energy, axis=1)
    with np.errstate(all="ignore"):
        return [float(value) for value in np.mean(steps**2, axis=1) / np.var(energy, axis=1)]


def credible_intervals(draws: Draws, mass: float = 0.95) -> dict[str, tuple[float, float]]:
    """Return the highest density interval of each parameter, the narrowest that holds `mass`."""
    intervals = {}
    for name, values in draws.items():
        ordered = np.sort(values, axis=None)
        inside = min(math.floor(mass * ordered.size), ordered.size - 1)
        first = int(np.argmin(ordered[inside:] - ordered[: ordered.size - inside]))
        intervals[name] = (float(ordered[first]), float(ordered[first + inside]))
    return intervals


def is_good(summary: Mapping[str, Mapping[str, float]], wanted_ess: float) -> bool:
    """Return whether there are as many independent draws as wanted, and the chains agree."""
    good = (Verdict.GOOD, Verdict.ONE_CHAIN)
    return all(verdict(row, wanted_ess) in good for row in summary.values())
