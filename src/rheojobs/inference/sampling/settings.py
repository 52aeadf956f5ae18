"""The checked settings of a sampling, as its parts read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.options import SampleOptions

__all__ = ["SampleSettings"]


@dataclass(kw_only=True, eq=False)
class SampleSettings(SampleOptions):
    """The checked options of a sampling, and further settings that its parts read.

    Attributes
    ----------
    warm_start : mapping
        Parameter values to start from; empty if there are none.
    other_starts : sequence of mapping
        Further places from which maxima of the posterior are searched.
    num_samples : int
        Draws of each chain; with a wanted ESS, how many are expected at most.
    most_draws : int
        Of each chain, at most.
    checkpoint : str or None
        The folder where the sampling is stored while it runs, on the machine of the application.
    keep_checkpoint : bool
        Whether the checkpoint stays when all is drawn.
    keep_predictions : bool
        Whether the result has the predictions at the draws.
    continues : Segment or None
        Chains to continue.
    task : Segment
        The task as plain values and arrays, for its checkpoint.
    """

    num_samples: int
    warm_start: Mapping[str, float]
    other_starts: Sequence[Mapping[str, float]]
    most_draws: int
    checkpoint: str | None
    keep_checkpoint: bool
    keep_predictions: bool
    continues: Segment | None
    task: Segment
