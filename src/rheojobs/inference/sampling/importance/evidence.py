"""The evidence of a posterior's model: by importance sampling at the maximum, and by a bridge."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.results.evidence import Evidence
from rheojobs.inference.sampling.chains import Snapshot, joined
from rheojobs.inference.sampling.importance.bridge import bridged
from rheojobs.inference.sampling.importance.mixture import Weighted, weighted_points
from rheojobs.inference.sampling.importance.modes import Modes, Points
from rheojobs.inference.sampling.importance.student_t import StudentT
from rheojobs.inference.sampling.starts import Starts

__all__ = ["evidence_of"]

STREAM = 2_000_003
"""Keeps the random numbers apart from those of the chains."""

POINTS = 4000
"""Points of the importance sampling; a tenth if equations are solved."""

FEWEST = 10
"""Draws about a maximum, for each coordinate, that a proposal is fitted to."""

NOTHING = math.nan, math.nan

type Floats = NDArray[np.float64]


def evidence_of(
    posterior: Posterior,
    starts: Starts,
    snapshots: Sequence[Snapshot],
    seed: int,
    check: Callable[[], None],
) -> Evidence:
    """Estimate the evidence from the draws of a sampling, and from its maxima.

    Parameters
    ----------
    posterior : Posterior
        What was sampled.
    starts : Starts
        The coordinates of the chains.
    snapshots : sequence of Snapshot
        The chains at their end.
    seed : int
        Of the proposals.
    check : callable
        Called before each call of the model; may raise.
    """
    if improper := _improper(posterior):
        return Evidence(
            reason=f"the prior of {improper!r} may be improper, since it cannot be drawn from: "
            "there is no evidence"
        )
    modes = Modes.of(posterior, starts)
    random = np.random.default_rng(np.random.SeedSequence((seed, STREAM)))
    count = POINTS // 10 if posterior.problem.model.forward_mode else POINTS
    found = weighted_points(modes, count, random, check)
    bridge, reason = NOTHING, "too few draws for a bridge"
    rows = [joined(snapshot.parts).z for snapshot in snapshots if snapshot.parts]
    if len(rows) == len(snapshots):
        length = min(map(len, rows))
        drawn = _evaluated(modes, starts, [part[:length] for part in rows], check)
        bridge = _bridge(modes, drawn, len(rows), random, check)
        reason = reason if math.isnan(bridge[0]) else ""
    made = Evidence.of(bridge, _mean(modes, found), found.k, found.is_reliable, reason)
    if centred := _centred(posterior):
        words = f"the priors of {', '.join(centred)} are centred on the fit, which uses the data"
        words += " twice: the evidence is too high; give priors of your own"
        made = replace(made, reason="; ".join(filter(None, (made.reason, words))))
    return made


def _improper(posterior: Posterior) -> str:
    """Name a site whose prior cannot be drawn from; empty if there is none."""
    for name, prior in zip(posterior.sites, posterior.priors, strict=True):
        try:
            prior.draw(np.random.default_rng(0), 1)
        except NotImplementedError:
            return name
    return ""


def _centred(posterior: Posterior) -> list[str]:
    """Name the parameters whose default prior is centred on the start of the sampling."""
    return [
        item.name
        for item in posterior.problem.model.parameters
        if item.prior_is_centred and item.name in posterior.sites
        if item.name not in posterior.given
    ]


def _mean(modes: Modes, found: Weighted) -> tuple[float, float]:
    """Return the logarithm of the mean weight, and its standard error."""
    top = float(found.log_weights.max())
    if not math.isfinite(top):
        return NOTHING
    weights = np.exp(found.log_weights - top)
    error = np.std(weights, ddof=1) / (weights.mean() * math.sqrt(weights.size))
    return math.log(weights.mean()) + top + modes.log_copies, float(error)


def _evaluated(
    modes: Modes, starts: Starts, chains: Sequence[Floats], check: Callable[[], None]
) -> Points:
    """Evaluate the posterior at the draws of all chains, one chain after the other."""
    own = [
        next(
            mode
            for mode, geometry in enumerate(modes.geometries)
            if geometry is starts.geometries[chain % len(starts.geometries)]
        )
        for chain in range(len(chains))
    ]
    return Points.joined(
        [modes.evaluate(mode, rows, check) for mode, rows in zip(own, chains, strict=True)]
    )


def _bridge(
    modes: Modes,
    drawn: Points,
    chains: int,
    random: np.random.Generator,
    check: Callable[[], None],
) -> tuple[float, float]:
    """Return the log evidence by bridge sampling and its error; NaN with too few draws.

    The part of the posterior about each maximum is integrated by itself, since chains that stay in
    theirs do not know how much probability the others hold.
    """
    whitened = modes.whitened(drawn)
    allowed = np.isfinite(drawn.log_density)
    length = len(drawn.z) // chains
    is_first = np.tile(np.arange(length) < length // 2, chains)

    def regions(of: list[Floats], among: list[int]) -> NDArray[np.intp]:
        return np.asarray(among)[modes.only(among).nearest([of[mode] for mode in among])]

    every = list(range(len(modes.geometries)))
    seen = regions(whitened, every)[allowed & is_first]
    least = FEWEST * drawn.z.shape[1]
    used = [mode for mode in every if np.count_nonzero(seen == mode) >= least]
    if not used:
        return NOTHING
    region = regions(whitened, used)
    logs, errors = [], []
    for mode in used:
        rows, geometry = whitened[mode], modes.geometries[mode]
        inside = (region == mode) & allowed
        try:
            proposal = StudentT.fitted(rows[inside & is_first])
        except np.linalg.LinAlgError:
            return NOTHING
        proposed = modes.evaluate(mode, proposal.draw(random, int((~is_first).sum())), check)
        is_own = regions(modes.whitened(proposed), used) == mode
        at_draws, at_proposals = (
            points.log_density + geometry.log_volume - proposal.log_density(own)
            for points, own in ((drawn, rows), (proposed, proposed.rows))
        )
        second = (~is_first).reshape(chains, length)
        shape = (chains, -1)
        log, error = bridged(
            at_draws.reshape(chains, length)[second].reshape(shape),
            inside.reshape(chains, length)[second].reshape(shape),
            np.where(is_own, at_proposals, -np.inf),
        )
        logs.append(log)
        errors.append(error)
    total = float(np.logaddexp.reduce(logs))
    shares = np.exp(np.array(logs) - total)
    return total + modes.log_copies, float(np.linalg.norm(shares * errors))
