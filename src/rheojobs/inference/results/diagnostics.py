"""Summaries and diagnostics of draws, in numbers and in plain words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.results.convergence import FEWEST_DRAWS, Convergence, quantiles

__all__ = [
    "MAX_R_HAT",
    "MIN_ESS",
    "QUANTILES",
    "bfmi",
    "concerns",
    "credible_intervals",
    "is_good",
    "stuck_chains",
    "summarize",
]

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
"""The quantiles in a summary."""

MAX_R_HAT = 1.01
MIN_ESS = 400.0
MAX_DIVERGENT_FRACTION = 0.01
MAX_CUT_FRACTION = 0.01
MAX_NOISE_RATIO = 5.0
"""The ratio of noise to the residuals at the start above which a warning is given."""

MAX_NOISE_SHARE = 0.9
"""The ratio of noise to data above which a warning is given."""

SUMMARIZED_AT_ONCE = 50_000
"""Draws, of all parameters together, that one part of a summary covers: about 20 ms."""

MAX_MISFIT, MIN_MISFIT = 2.0, 1.0 / 3.0
"""The size of residuals, in given standard deviations, above which a warning is given."""

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
    columns: dict[str, NDArray[np.float64]] = {
        "mean": stacked.mean(axis=(1, 2)),
        "std": stacked.std(axis=(1, 2), ddof=1) if stacked[0].size > 1 else np.zeros(len(names)),
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
    return int((np.ptp(stacked, axis=2) == 0).all(axis=0).sum())


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
    for row in summary.values():
        # Written so that NaN is not good either; `min` could drop it.
        if not (row["ess_bulk"] >= wanted_ess and row["ess_tail"] >= wanted_ess):
            return False
        if row["r_hat"] > MAX_R_HAT:
            return False
    return True


def concerns(diagnostics: Mapping[str, Any], count: int) -> list[str]:
    """Return warnings in plain words about draws that should not be trusted.

    Parameters
    ----------
    diagnostics : mapping
        With r_hat, ess_bulk and ess_tail per parameter, and divergences; optionally:
        cut_short (how many draws reached the longest trajectory allowed), stuck (how many
        chains never moved), outside (the fraction of the draws beyond a parameter's bounds,
        if there are any), noise_ratio (each noise scale over the residuals at the start),
        noise_share (each over the data), undetermined (the names of parameters whose draws
        are those of their priors), misfit (the residuals over the given standard deviations).
    count : int
        Of all draws.
    """
    found = []
    ratios = diagnostics.get("noise_ratio", {})
    high = {name: ratio for name, ratio in ratios.items() if ratio > MAX_NOISE_RATIO}
    if high:
        words = ", ".join(f"{name} is {_times(ratio)} times" for name, ratio in high.items())
        found.append(
            f"the chains left the data: {words} the residuals at the start; the priors outweigh "
            "the data: give narrower priors, or another likelihood"
        )
    shares = diagnostics.get("noise_share", {})
    drowned = [name for name, share in shares.items() if share > MAX_NOISE_SHARE]
    if drowned:
        found.append(
            f"the noise ({', '.join(drowned)}) is as large as the data: the model describes "
            "nothing of them; check their units, the model's bounds, and the priors"
        )
    misfit = diagnostics.get("misfit", 1.0)
    if misfit > MAX_MISFIT:
        found.append(
            f"the residuals are {misfit:.2g} times the given standard deviations: the model misses "
            "the data, or these deviations are too small; the posterior is too narrow"
        )
    elif misfit < MIN_MISFIT:
        found.append(
            f"the residuals are {misfit:.2g} of the given standard deviations: these are too "
            "large, and the posterior is too wide"
        )
    if undetermined := diagnostics.get("undetermined", []):
        found.append(
            f"the data do not determine {', '.join(undetermined)}, whose draws are those of the "
            "priors: give narrower priors, or use a simpler model"
        )
    for name, fraction in diagnostics.get("outside", {}).items():
        found.append(
            f"{100 * fraction:.3g} % of the draws of {name} lie outside its bounds, which its "
            "prior exceeds: give a prior within the bounds"
        )
    if stuck := int(diagnostics.get("stuck", 0)):
        found.append(
            f"{'one chain' if stuck == 1 else f'{stuck} chains'} never moved: start elsewhere, "
            "with a longer warm-up"
        )
    divergences = int(diagnostics["divergences"])
    if count and divergences > MAX_DIVERGENT_FRACTION * count:
        found.append(
            f"{divergences} of {count} draws diverged: the sampler misses narrow parts of the "
            "posterior; start from a fit, or give tighter priors"
        )
    cut_short = int(diagnostics.get("cut_short", 0))
    if count and cut_short > MAX_CUT_FRACTION * count:
        found.append(
            f"{cut_short} of {count} draws had the longest trajectory allowed: the posterior is "
            "long and narrow; start from a fit, warm up longer, or give tighter priors"
        )
    apart = [name for name, value in diagnostics["r_hat"].items() if value > MAX_R_HAT]
    if apart:
        found.append(
            f"the chains disagree on {', '.join(apart)} (R-hat above {MAX_R_HAT}): "
            "draw more, or start from a fit"
        )
    ess = {
        name: float(np.minimum(diagnostics["ess_bulk"][name], diagnostics["ess_tail"][name]))
        for name in diagnostics["ess_bulk"]
    }
    if any(math.isnan(value) for value in ess.values()):
        found.append(f"{count} draws are too few for diagnostics: draw more")
        return found
    if any(math.isnan(value) for value in diagnostics["r_hat"].values()):
        found.append("one chain cannot show whether chains agree: run several chains")
    few = [name for name, value in ess.items() if value < MIN_ESS]
    if few:
        worst = min(ess.values())
        found.append(
            f"few independent draws of {', '.join(few)} ({worst:.0f}, {MIN_ESS:.0f} are needed): "
            "draw more"
        )
    return found


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio < 1e4 else f"{ratio:.0e}"
