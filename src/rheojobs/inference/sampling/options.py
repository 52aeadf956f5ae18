"""The options of a sampling. Imports no JAX and no NumPy, so that the command's help is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.inference.options.kinds import Choice, Count, Expressions, Number
from rheojobs.inference.options.option import Group, option
from rheojobs.inference.posterior.likelihood_names import LIKELIHOODS
from rheojobs.inference.posterior.prior_syntax import check_prior, parse_prior
from rheojobs.inference.problem.options import ProblemOptions
from rheojobs.inference.results.thresholds import MIN_ESS

__all__ = ["DEFAULT_PRIORS", "DRAWS", "MAX_TREE_DEPTH", "SampleOptions"]

DRAWS = 2000
"""Draws of each chain, at most, where neither their number nor an ESS is given."""

MAX_TREE_DEPTH = 10

DEFAULT_PRIORS: dict[str, str] = {
    "rheojax": "uniform on the bounds",
    "logarithmic": "uniform in the logarithm if a fit searches by it, else the same",
}


def _prior(name: str, prior: Any) -> Any:
    made = parse_prior(name, prior) if isinstance(prior, str) else prior
    check_prior(name, made)
    return made


@dataclass(kw_only=True)
class SampleOptions(ProblemOptions):
    """How to sample.

    Attributes
    ----------
    priors : mapping of str to mapping or distribution
        ``{"type": "normal", "loc": ..., "scale": ...}``, or a NumPyro distribution.
    likelihood : str or None
        ``"sigma"`` takes `Dataset.sigma` as true and samples no noise. None chooses as a fit
        chooses its weights: sigma if there is one, relative for moduli and for data over more
        than two decades, else constant.
    default_priors : str
        ``"rheojax"`` with ``likelihood="constant"`` is RheoJAX's statistical model.
    """

    num_warmup: int = option(
        1000,
        Count(0),
        "Warm-up steps of each chain.",
        group=Group.SAMPLING,
        word="warmup",
        label="Warm-up",
    )
    num_samples: int | None = option(
        None,
        Count(1),
        "Draws of each chain. By default as many as are needed: until each parameter has 400 "
        "effective draws and R-hat is at most 1.01, and 2,000 at most.",
        group=Group.SAMPLING,
        word="draws",
        label="Draws",
    )
    num_chains: int = option(4, Count(1), "Chains.", group=Group.SAMPLING, word="chains")
    seed: int = option(
        42,
        Count(0),
        "Seed of the random numbers: the same seed gives the same draws.",
        group=Group.SAMPLING,
    )
    priors: Mapping[str, Any] = option(
        {},
        Expressions(_prior, None, "NAME=DIST(A,B)"),
        "Prior of a parameter: normal(loc,scale), uniform(low,high), lognormal, loguniform, "
        "halfnormal, truncatednormal, exponential, gamma or beta.",
        group=Group.SAMPLING,
        flag="--prior",
    )
    likelihood: str | None = option(
        None,
        Choice(LIKELIHOODS),
        "How the data scatter. By default sigma if the data have it, relative for moduli and for "
        "data over more than two decades, else constant, as the weights of a fit.",
        group=Group.SAMPLING,
        label="Noise",
    )
    default_priors: str = option(
        "logarithmic",
        Choice(DEFAULT_PRIORS),
        "Priors of parameters that none is given for: log-uniform if bounds span decades, as a "
        "fit searches them (logarithmic), or uniform on the bounds (rheojax).",
        group=Group.SAMPLING,
    )
    until_ess: float | None = option(
        None,
        Number(),
        "Stop when each parameter has so many effective draws and R-hat is at most 1.01; at the "
        "latest after ten times the draws (20,000 by default). Draws that stop by their own ESS "
        "have a little less.",
        group=Group.SAMPLING,
        label="Stop at ESS",
    )
    max_samples: int | None = option(
        None,
        Count(1),
        "With a wanted ESS: draws of each chain at most. Ten times the draws by default.",
        group=Group.SAMPLING,
        word="max_draws",
        label="Max. draws",
    )
    target_accept: float | None = option(
        None,
        Number(0.0, 1.0),
        "Acceptance probability that the step size is adapted to. By default 0.85 where the "
        "posterior is nearly Gaussian in the sampler's coordinates, else 0.95.",
        group=Group.SAMPLING,
    )
    max_tree_depth: int = option(
        MAX_TREE_DEPTH,
        Count(1, MAX_TREE_DEPTH),
        "A trajectory has 2^depth leapfrog steps at most.",
        group=Group.SAMPLING,
    )

    @property
    def wanted_ess(self) -> float | None:
        """The ESS at which the sampling ends; None if it takes all draws that are wanted."""
        is_open = self.num_samples is None and self.until_ess is None
        return MIN_ESS if is_open else self.until_ess
