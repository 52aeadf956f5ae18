"""The evidence of a model, its marginal likelihood, and the probabilities of several models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["UNKNOWN", "Evidence", "probabilities"]

AGREEMENT = 4.0
"""How many standard errors the two estimates may lie apart."""

LEAST_GAP = 0.1
"""Estimates that lie no further apart than this agree, whatever their errors."""


@dataclass(frozen=True)
class Evidence:
    """The logarithm of the probability density of the data under a model and its priors.

    Attributes
    ----------
    log, error : float
        The logarithm and its standard error: of the bridge, or of the importance sampling if there
        is no bridge. NaN if neither is reliable.
    bridge, bridge_error : float
        By bridge sampling with the draws.
    importance, importance_error, importance_k : float
        By importance sampling at the maximum, and the Pareto k̂ of its weights.
    importance_is_reliable : bool
        Whether k̂ is small enough.
    reason : str
        Why there is no evidence, or why it is doubtful; else empty.
    """

    log: float = math.nan
    error: float = math.nan
    bridge: float = math.nan
    bridge_error: float = math.nan
    importance: float = math.nan
    importance_error: float = math.nan
    importance_k: float = math.inf
    importance_is_reliable: bool = False
    reason: str = ""

    @classmethod
    def of(
        cls,
        bridge: tuple[float, float],
        importance: tuple[float, float],
        k: float,
        is_reliable: bool,
        reason: str = "",
    ) -> Evidence:
        """Choose between two estimates, each a logarithm with its standard error.

        Parameters
        ----------
        bridge, importance : tuple of float
            The estimates; NaN if there is none.
        k : float
            The Pareto k̂ of the importance sampling.
        is_reliable : bool
            Whether k̂ is small enough.
        reason : str
            Why there is no bridge.
        """
        log, error = math.nan, math.nan
        if math.isfinite(bridge[0]):
            log, error = bridge
            gap = abs(bridge[0] - importance[0])
            both = math.hypot(bridge[1], importance[1])
            if is_reliable and gap > max(AGREEMENT * both, LEAST_GAP):
                reason = (
                    f"bridge sampling gives a log evidence of {bridge[0]:.2f}, importance sampling "
                    f"at the maximum {importance[0]:.2f}: draw more"
                )
        elif is_reliable:
            log, error = importance
        return cls(log, error, *bridge, *importance, k, is_reliable, reason)

    def shifted(self, by: float) -> Evidence:
        """Return the evidence for data in another unit or quantity."""
        return replace(
            self, log=self.log + by, bridge=self.bridge + by, importance=self.importance + by
        )


UNKNOWN = Evidence()


def probabilities(evidences: Mapping[str, Evidence]) -> dict[str, float]:
    """Return the probability of each model if all are equally probable before the data.

    Models without evidence are left out, and the others' probabilities add up to 1.
    """
    known = {label: one.log for label, one in evidences.items() if math.isfinite(one.log)}
    if not known:
        return {}
    weights = np.exp(np.array(list(known.values())) - max(known.values()))
    return dict(zip(known, (weights / weights.sum()).tolist(), strict=True))
