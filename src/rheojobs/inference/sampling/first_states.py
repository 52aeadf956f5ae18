"""Begin the chains: each about the center of its coordinates, where there is a density.

And look whether the density is as Gaussian there as the coordinates suppose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.posterior.posterior import Posterior
from rheojobs.inference.sampling.mode_search import setting_out
from rheojobs.inference.sampling.nuts import ChainState, Settings
from rheojobs.inference.sampling.programs import NOT_FINITE_PENALTY, programs_of
from rheojobs.inference.sampling.starts import SPREADS, Starts
from rheojobs.inference.sampling.warmup.whitening import Geometry

__all__ = ["first_states", "is_nearly_gaussian"]

ROOM = 5.0
"""How far above the center's potential a chain may begin, per coordinate.

Draws lie half a unit above it; a chain that begins outside the posterior's mass may get stuck.
"""

LARGEST = -NOT_FINITE_PENALTY / 2

LOOKS = 16
FAR = 2.0
"""In how many directions the density is looked at, and how many deviations from the center."""

MISFIT = 10.0
"""How far the log density may be from a Gaussian's there, for each coordinate.

Of nineteen posteriors (benchmarks/posteriors.py), the ten on which long steps do well exceed it in
0 to 1 % of the directions; those on which they fail, in 9 to 70 %.
"""


def first_states(posterior: Posterior, starts: Starts, chains: int, seed: int) -> list[ChainState]:
    """Return the chains before their first step.

    Each begins in a random direction from the center, at the first of the distances `SPREADS`
    that has a density not far below the center's.

    Raises
    ------
    InputError
        If there is no such point, or there are no derivatives.
    """
    centers = [_looked(posterior, each, np.zeros(each.center.size)) for each in starts.geometries]
    states = []
    for chain in range(chains):
        place = chain % len(centers)
        geometry, center = starts.geometries[place], centers[place]
        random = np.random.default_rng(np.random.SeedSequence((seed, chain)))
        direction = random.standard_normal(geometry.center.size)
        key = random.integers(2**64, dtype=np.uint64)
        most = float(center.potential) + ROOM * direction.size if _is_good(center) else LARGEST
        for spread in SPREADS:
            state = _looked(posterior, geometry, spread * direction) if spread else center
            if _is_good(state) and state.potential <= most:
                break
        else:
            raise _without_density(posterior, geometry)
        states.append(state.beginning(key))
    return states


def is_nearly_gaussian(posterior: Posterior, starts: Starts, seed: int) -> bool:
    """Whether the log density falls about as a Gaussian's from the centers of the coordinates."""
    random = np.random.default_rng(np.random.SeedSequence((seed, LOOKS)))
    for geometry in _distinct(starts):
        size = geometry.center.size
        center = _looked(posterior, geometry, np.zeros(size))
        for direction in FAR * random.standard_normal((LOOKS, size)):
            rise = float(_looked(posterior, geometry, direction).potential - center.potential)
            if not abs(rise - 0.5 * float(direction @ direction)) < MISFIT * size:
                return False
    return True


def _distinct(starts: Starts) -> list[Geometry]:
    return list({id(each): each for each in starts.geometries}.values())


def _looked(posterior: Posterior, geometry: Geometry, z: NDArray[np.float64]) -> ChainState:
    """Return a chain at a position, shape (d,), with the density and its gradient there."""
    here: ChainState
    here, _ = programs_of(posterior).advance(
        ChainState.at(z), 1, 1, Settings.to_look(), geometry, *posterior.data
    )
    return here


def _is_good(state: ChainState) -> bool:
    return bool(state.potential < LARGEST)


def _without_density(posterior: Posterior, geometry: Geometry) -> InputError:
    """Return what is wrong at a center: there is no density, or there are no derivatives."""
    name = posterior.problem.model.name
    seen = programs_of(posterior).climb(setting_out(geometry.center), 1, *posterior.data).view
    if float(seen.density) > -LARGEST:
        return InputError(
            f"{name} cannot be sampled: it has values at the start, but its derivatives are not "
            "finite (look at jnp.where, sqrt and abs)"
        )
    return InputError(
        f"{name}: the start has no likelihood: give other start values (warm_start=), or wider "
        "priors"
    )
