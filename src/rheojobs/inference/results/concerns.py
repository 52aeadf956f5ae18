"""Warnings in plain words about draws that should not be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rheojobs.inference.results.thresholds import (
    MAX_CUT_FRACTION,
    MAX_MISFIT,
    MAX_NOISE_RATIO,
    MAX_NOISE_SHARE,
    MAX_R_HAT,
    MIN_BFMI,
    MIN_ESS,
    MIN_MISFIT,
)

__all__ = ["concerns", "doubt"]

type _Report = Mapping[str, Any]


def concerns(diagnostics: _Report, count: int) -> list[str]:
    """Return warnings about draws that should not be trusted; what to do is part of each.

    Parameters
    ----------
    diagnostics : mapping
        With r_hat, ess_bulk and ess_tail per parameter, and divergences; optionally:
        bfmi (of each chain), cut_short (how many draws reached the longest trajectory allowed),
        stuck (how many chains never moved), still (the names of parameters that do not move in a
        chain), not_finite (the names of those with draws that are not finite), outside (the
        fraction of the draws beyond a parameter's bounds, if there are any), at_bounds (the words
        for the bound at which a posterior lies, by name), noise_ratio (each noise scale over the
        residuals at the start), noise_share (each over the data), undetermined (the names of
        parameters whose draws are those of their priors), misfit (the residuals over the given
        standard deviations), modes (how many separate maxima the chains started in), starts
        (with arrived: whether a maximum was found to start from).
    count : int
        Of all draws.
    """
    return [
        *_of_the_data(diagnostics),
        *_of_the_priors(diagnostics),
        *_of_the_sampler(diagnostics, count),
        *_of_the_chains(diagnostics),
        *_of_the_number(diagnostics, count),
    ]


def doubt(diagnostics: _Report) -> str:
    """Return why draws should not be used as they are; empty if they may be.

    That is if they miss the data, or the chains have not converged. Too few draws, or a parameter
    that the data do not determine, are concerns, but no doubt.

    Parameters
    ----------
    diagnostics : mapping
        As for `concerns`; those read from JSON have None for NaN.
    """
    if next(_misses(diagnostics), None) is not None:
        return "the draws miss the data"
    apart = [name for name, value in diagnostics["r_hat"].items() if (value or 0.0) > MAX_R_HAT]
    if apart:
        return f"the chains did not converge: R-hat of {', '.join(apart)} is above {MAX_R_HAT}"
    if diagnostics.get("stuck", 0) or diagnostics.get("not_finite"):
        return "the chains did not converge"
    return ""


def _of_the_data(diagnostics: _Report) -> Iterator[str]:
    yield from _misses(diagnostics)
    misfit = diagnostics.get("misfit", 1.0)
    if misfit < MIN_MISFIT:
        yield (
            f"the residuals are {misfit:.2g} of the given standard deviations: these are too "
            "large, and the posterior is too wide"
        )


def _misses(diagnostics: _Report) -> Iterator[str]:
    ratios = diagnostics.get("noise_ratio", {})
    high = {name: ratio for name, ratio in ratios.items() if (ratio or 0.0) > MAX_NOISE_RATIO}
    if high:
        words = ", ".join(f"{name} is {_times(ratio)} times" for name, ratio in high.items())
        yield (
            f"the chains left the data: {words} the residuals at the start; the priors outweigh "
            "the data: give narrower priors, or another likelihood"
        )
    shares = diagnostics.get("noise_share", {})
    drowned = [name for name, share in shares.items() if (share or 0.0) > MAX_NOISE_SHARE]
    if drowned:
        yield (
            f"the noise ({', '.join(drowned)}) is as large as the data: the model describes "
            "nothing of them; check their units, the model's bounds, and the priors"
        )
    misfit = diagnostics.get("misfit") or 1.0
    if misfit > MAX_MISFIT:
        yield (
            f"the residuals are {misfit:.2g} times the given standard deviations: the model misses "
            "the data, or these deviations are too small; the posterior is too narrow"
        )


def _of_the_priors(diagnostics: _Report) -> Iterator[str]:
    if undetermined := diagnostics.get("undetermined", []):
        yield (
            f"the data do not determine {', '.join(undetermined)}, whose draws are those of the "
            "priors: give narrower priors, or use a simpler model"
        )
    for name, bound in diagnostics.get("at_bounds", {}).items():
        yield (
            f"the posterior of {name} lies at its {bound}: its interval ends there because of "
            "the bound, not of the data; widen the bounds, or use a simpler model"
        )
    for name, fraction in diagnostics.get("outside", {}).items():
        yield (
            f"{100 * fraction:.3g} % of the draws of {name} lie outside its bounds, which its "
            "prior exceeds: give a prior within the bounds"
        )


def _of_the_sampler(diagnostics: _Report, count: int) -> Iterator[str]:
    if lost := diagnostics.get("not_finite", []):
        yield (
            f"draws of {', '.join(lost)} are not finite, so that nothing is known of how good "
            "they are: give narrower priors"
        )
    if stuck := int(diagnostics.get("stuck", 0)):
        yield (
            f"{'one chain' if stuck == 1 else f'{stuck} chains'} never moved: start elsewhere, "
            "with a longer warm-up"
        )
    elif still := diagnostics.get("still", []):
        yield (
            f"{', '.join(still)} did not move in one of the chains, so that nothing is known of "
            "how good these draws are: give a wider prior, or fix it"
        )
    if divergences := int(diagnostics["divergences"]):
        yield (
            f"{divergences} of {count} draws diverged: the sampler misses narrow parts of the "
            "posterior; start from a fit, raise the target acceptance, or give tighter priors"
        )
    low = [value for value in diagnostics.get("bfmi", []) if value < MIN_BFMI]
    if low:
        where = "one chain" if len(low) == 1 else f"{len(low)} chains"
        yield (
            f"the energy of {where} changes slowly from draw to draw (E-BFMI {min(low):.2g}, "
            f"{MIN_BFMI:g} is needed): the tails of the posterior are hardly explored; give "
            "tighter priors"
        )
    cut_short = int(diagnostics.get("cut_short", 0))
    if count and cut_short > MAX_CUT_FRACTION * count:
        yield (
            f"{cut_short} of {count} draws had the longest trajectory allowed: the posterior is "
            "long and narrow; start from a fit, warm up longer, or give tighter priors"
        )


def _of_the_chains(diagnostics: _Report) -> Iterator[str]:
    apart = [name for name, value in diagnostics["r_hat"].items() if value > MAX_R_HAT]
    if not apart:
        return
    told = f"the chains disagree on {', '.join(apart)} (R-hat above {MAX_R_HAT}): "
    if not diagnostics.get("starts", {}).get("arrived", True):
        yield (
            "no maximum of the posterior was found, so its shape is not known and the chains mix "
            "slowly: give start values (warm_start), such as a fit's, or narrower priors"
        )
    modes = int(diagnostics.get("modes", 1))
    if modes > 1:
        yield (
            f"{told}they started in {modes} separate maxima of the posterior and did not mix, so "
            "the shares of the draws in each are not their probabilities; choose one by narrower "
            "priors, or use a model that the data determine"
        )
    else:
        yield f"{told}draw more, or start from a fit"


def _of_the_number(diagnostics: _Report, count: int) -> Iterator[str]:
    told = {*diagnostics.get("not_finite", []), *diagnostics.get("still", [])}
    if diagnostics.get("stuck", 0):
        told |= set(diagnostics["ess_bulk"])
    ess = {
        name: float(np.minimum(bulk, diagnostics["ess_tail"][name]))  # NaN if one of them is
        for name, bulk in diagnostics["ess_bulk"].items()
        if name not in told
    }
    if any(math.isnan(value) for value in ess.values()):
        yield f"{count} draws are too few for diagnostics: draw more"
        return
    if any(math.isnan(diagnostics["r_hat"][name]) for name in ess):
        yield "one chain cannot show whether chains agree: run several chains"
    few = [name for name, value in ess.items() if value < MIN_ESS]
    if few:
        worst = min(ess.values())
        yield (
            f"few independent draws of {', '.join(few)} ({worst:.0f}, {MIN_ESS:.0f} are needed): "
            "draw more"
        )


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio < 1e4 else f"{ratio:.0e}"
