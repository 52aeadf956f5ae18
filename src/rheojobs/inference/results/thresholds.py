"""The limits from which draws are not to be trusted: one set for the command, window and reports.

References
----------
R-hat, ESS: A. Vehtari et al., Bayesian Analysis 16 (2021) 667-718;
divergences, E-BFMI: M. Betancourt, arXiv:1701.02434, and Stan's warnings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum

__all__ = [
    "BOUND_SHARE",
    "MAX_CUT_FRACTION",
    "MAX_MISFIT",
    "MAX_NOISE_RATIO",
    "MAX_NOISE_SHARE",
    "MAX_R_HAT",
    "MIN_BFMI",
    "MIN_ESS",
    "MIN_MISFIT",
    "Verdict",
    "verdict",
]

MAX_R_HAT = 1.01
MIN_ESS = 400.0
MIN_BFMI = 0.3
MAX_CUT_FRACTION = 0.01
"""The fraction of draws with the longest trajectory above which a warning is given."""

MAX_NOISE_RATIO = 3.0
"""The ratio of noise to the residuals at the start above which a warning is given."""

MAX_NOISE_SHARE = 0.9
"""The ratio of noise to data above which a warning is given."""

MAX_MISFIT, MIN_MISFIT = 2.0, 1.0 / 3.0
"""The size of residuals, in given standard deviations, above which a warning is given."""

BOUND_SHARE = 0.07
"""A posterior is at a bound if its 5 % quantile is nearer than this part of the central 90 %.

Measured by the prior's cumulative distribution. A Gaussian's middle then lies within about 1.1
standard deviations of the bound; a posterior that is flat up to the bound has 0.056.
"""


class Verdict(Enum):
    """What R-hat and ESS say about the draws of a parameter."""

    GOOD = "good"
    ONE_CHAIN = "enough draws of a single chain, which cannot show whether chains agree"
    FEW = "too few independent draws"
    APART = "the chains disagree"
    UNKNOWN = "too few draws to tell, or a chain that does not move, or values that are not finite"


def verdict(row: Mapping[str, float], wanted_ess: float = MIN_ESS) -> Verdict:
    """Judge the draws of a parameter.

    Parameters
    ----------
    row : mapping
        r_hat, ess_bulk and ess_tail.
    wanted_ess : float
        The ESS from which there are enough independent draws.
    """
    sizes, r_hat = (row["ess_bulk"], row["ess_tail"]), row["r_hat"]
    if any(math.isnan(size) for size in sizes):
        return Verdict.UNKNOWN
    if r_hat > MAX_R_HAT:
        return Verdict.APART
    if min(sizes) < wanted_ess:
        return Verdict.FEW
    return Verdict.ONE_CHAIN if math.isnan(r_hat) else Verdict.GOOD
