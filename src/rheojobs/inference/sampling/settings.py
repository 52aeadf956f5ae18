"""What a sampling does: the options of a task, checked, as the parts of a sampling read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.inference.results.segments import Segment

__all__ = ["SampleSettings"]


@dataclass(frozen=True, eq=False)
class SampleSettings:
    """The options of a sampling.

    Attributes
    ----------
    num_warmup, num_samples, num_chains, seed, target_accept, likelihood, default_priors, until_ess
        As `SampleTask` has them.
    warm_start, priors, fixed : mapping
        As `SampleTask` has them; empty if not given.
    most_draws : int
        Of each chain, at most.
    checkpoint : str or None
        The folder where the sampling is kept while it runs, on the machine of the application.
    keep_checkpoint : bool
        Whether the checkpoint stays when all is drawn.
    continues : Segment or None
        Chains to continue.
    task : Segment
        The task as plain values and arrays, for its checkpoint.
    """

    num_warmup: int
    num_samples: int
    num_chains: int
    seed: int
    warm_start: Mapping[str, float]
    priors: Mapping[str, Any]
    fixed: Mapping[str, float]
    likelihood: str | None
    default_priors: str
    target_accept: float
    until_ess: float | None
    most_draws: int
    checkpoint: str | None
    keep_checkpoint: bool
    continues: Segment | None
    task: Segment
