"""One transition of the No-U-Turn sampler: a trajectory that doubles until it turns back.

The points are weighted by their density, a half of the trajectory is entered with the
probability of its weight (biased progressive sampling), and it ends by the generalized criterion
of a U-turn. All is one loop over leapfrog steps, without branches: XLA compiles that into fewer
kernels, and sooner, than loops within loops.

References
----------
M. D. Hoffman, A. Gelman, J. Mach. Learn. Res. 15 (2014) 1593-1623;
M. Betancourt, arXiv:1701.02434 (2017), appendix A;
D. Phan, N. Pradhan, M. Jankowiak, arXiv:1912.11554 (2019): which of the points must be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rheojobs.inference.sampling.options import MAX_TREE_DEPTH
from rheojobs.inference.sampling.random_numbers import bits, normals, uniform

__all__ = ["End", "Potential", "Start", "grown"]

Potential = Callable[[Any], tuple[Any, Any]]
"""Returns the potential energy, minus the log density, of a position (d,), and its gradient."""

DIVERGENT = 1000.0
"""A leapfrog that raises the energy by more diverges."""

MOMENTUM = 2 << MAX_TREE_DEPTH
"""The place of the first random number of the momentum, beyond those of the leapfrogs."""


class Start(NamedTuple):
    """Where a trajectory starts: position (d,), its potential and gradient, and its momentum."""

    z: Any
    potential: Any
    gradient: Any
    momentum: Any

    @classmethod
    def at(cls, z: Any, potential: Any, gradient: Any, mass_sqrt: Any, key: Any) -> Start:
        """Start with a random momentum, of the mass ``mass_sqrt @ mass_sqrt.T``."""
        return cls(z, potential, gradient, mass_sqrt @ normals(key, MOMENTUM, z.shape[0]))


class End(NamedTuple):
    """What a transition has chosen, and how it went.

    Attributes
    ----------
    z, potential, gradient, energy : array
        The chosen point, and its energy including that of its momentum.
    accept : scalar
        The average probability with which a single step to a point would be accepted.
    leapfrogs : scalar, int
        How many were made.
    diverging : scalar, bool
        Whether the last one diverged.
    cut_short : scalar, bool
        Whether the trajectory could not double any more, with no turn in sight.
    """

    z: Any
    potential: Any
    gradient: Any
    energy: Any
    accept: Any
    leapfrogs: Any
    diverging: Any
    cut_short: Any


class _Ends(NamedTuple):
    """Points from which a trajectory continues: both of its ends, (2, d), or one, (d,)."""

    z: Any
    gradient: Any
    momentum: Any
    velocity: Any


class _Chosen(NamedTuple):
    """A point that was chosen among those of a trajectory, or of its newest half."""

    z: Any
    gradient: Any
    potential: Any
    energy: Any


class _Part(NamedTuple):
    """A part of a trajectory: the point chosen, the log of the weight, the sum of momenta (d,)."""

    chosen: _Chosen
    weight: Any
    total: Any


class _Kept(NamedTuple):
    """Points of the newest half against which later ones are compared, (depth, d) each."""

    momentum: Any
    velocity: Any
    total: Any


class _Growth(NamedTuple):
    """A trajectory while it grows; `half` is what is added now, of which `leaf` points exist."""

    ends: _Ends
    here: _Ends
    whole: _Part
    half: _Part
    kept: _Kept
    leaf: Any
    depth: Any
    is_forwards: Any
    leapfrogs: Any
    accept: Any
    diverging: Any
    turning: Any


def grown(
    potential: Potential, start: Start, inverse_mass: Any, step_size: Any, key: Any, max_depth: Any
) -> End:
    """Make one transition.

    Parameters
    ----------
    potential : callable
        Returns the potential energy of a position and its gradient.
    start : Start
        Where it starts.
    inverse_mass : array, shape (d, d)
        The inverse mass matrix.
    step_size : scalar
        Of the leapfrog steps.
    key : scalar, uint64
        Of the random numbers.
    max_depth : scalar, int
        How often the trajectory doubles at most; no more than `MAX_TREE_DEPTH`.
    """
    velocity = inverse_mass @ start.momentum
    energy = start.potential + 0.5 * jnp.sum(start.momentum * velocity)

    def is_going_on(growth: _Growth) -> Any:
        return (growth.depth < max_depth) & ~growth.turning & ~growth.diverging

    def body(growth: _Growth) -> _Growth:
        return _leapfrog(potential, growth, inverse_mass, step_size, key, energy)

    here = _Ends(start.z, start.gradient, start.momentum, velocity)
    ends = _Ends(*(jnp.stack([part, part]) for part in here))
    chosen = _Chosen(start.z, start.gradient, start.potential, energy)
    none = jnp.zeros((MAX_TREE_DEPTH, start.z.shape[0]))
    zero, no = jnp.zeros(()), jnp.asarray(False)
    first = bits(key, MOMENTUM - 1)
    growth = _Growth(
        ends,
        here,
        _Part(chosen, zero, start.momentum),
        _Part(chosen, zero, jnp.zeros_like(start.momentum)),
        _Kept(none, none, none),
        jnp.asarray(0, jnp.int32),
        jnp.asarray(0, jnp.int32),
        (first & np.uint64(1)) == 1,
        jnp.asarray(0, jnp.int32),
        zero,
        no,
        no,
    )
    end: _Growth = lax.while_loop(is_going_on, body, growth)
    best = end.whole.chosen
    return End(
        best.z,
        best.potential,
        best.gradient,
        best.energy,
        end.accept / jnp.maximum(end.leapfrogs, 1),
        end.leapfrogs,
        end.diverging,
        (end.depth >= max_depth) & ~end.turning & ~end.diverging,
    )


def _leapfrog(
    potential: Potential, growth: _Growth, inverse_mass: Any, step_size: Any, key: Any, energy: Any
) -> _Growth:
    """Add a point to the newest half, and the half to the trajectory if it is complete."""
    here = growth.here
    step = jnp.where(growth.is_forwards, step_size, -step_size)
    momentum = here.momentum - 0.5 * step * here.gradient
    z = here.z + step * (inverse_mass @ momentum)
    value, gradient = potential(z)
    momentum = momentum - 0.5 * step * gradient
    velocity = inverse_mass @ momentum
    here = _Ends(z, gradient, momentum, velocity)
    now = value + 0.5 * jnp.sum(momentum * velocity)
    rise = now - energy
    rise = jnp.where(jnp.isnan(rise), jnp.inf, rise)

    first, second = (bits(key, 2 * growth.leapfrogs + k) for k in (0, 1))
    is_first = growth.leaf == 0
    weight = jnp.where(is_first, -rise, jnp.logaddexp(growth.half.weight, -rise))
    is_chosen = is_first | (uniform(first) < jnp.exp(-rise - weight))
    half = _Part(
        _either(is_chosen, _Chosen(z, gradient, value, now), growth.half.chosen),
        weight,
        jnp.where(is_first, momentum, growth.half.total + momentum),
    )
    kept, half_turns = _compared(growth.kept, growth.leaf, here, half.total)
    diverging = rise > DIVERGENT
    is_whole = (growth.leaf + 1 == 1 << growth.depth) & ~half_turns & ~diverging

    enters = is_whole & (uniform(second) < jnp.exp(half.weight - growth.whole.weight))
    sides = jnp.stack([~growth.is_forwards, growth.is_forwards])
    ends = _either((is_whole & sides)[:, None], here, growth.ends)
    whole = _Part(
        _either(enters, half.chosen, growth.whole.chosen),
        jnp.where(is_whole, jnp.logaddexp(growth.whole.weight, half.weight), growth.whole.weight),
        jnp.where(is_whole, growth.whole.total + half.total, growth.whole.total),
    )
    between = whole.total - 0.5 * jnp.sum(ends.momentum, axis=0)
    turns = is_whole & jnp.any(ends.velocity @ between <= 0)
    is_forwards = jnp.where(is_whole, (second & np.uint64(1)) == 1, growth.is_forwards)
    far_end = jax.tree.map(lambda two: jnp.where(is_forwards, two[1], two[0]), ends)
    return _Growth(
        ends,
        _either(is_whole, far_end, here),
        whole,
        half,
        kept,
        jnp.where(is_whole, 0, growth.leaf + 1),
        growth.depth + is_whole,
        is_forwards,
        growth.leapfrogs + 1,
        growth.accept + jnp.exp(-jnp.maximum(rise, 0.0)),
        diverging,
        half_turns | turns,
    )


def _compared(kept: _Kept, leaf: Any, here: _Ends, total: Any) -> tuple[_Kept, Any]:
    """Keep a point, or compare it with those kept; return whether a part turns back.

    The parts are those of the doublings that end with this point. Their first points are kept
    in the order of the binary digits of the point's number.
    """
    place = lax.population_count(leaf >> 1)
    number = jnp.arange(MAX_TREE_DEPTH, dtype=jnp.int32)
    is_kept = ((number == place) & (leaf % 2 == 0))[:, None]
    kept = _either(is_kept, _Kept(here.momentum, here.velocity, total), kept)
    parts = lax.population_count((~leaf & (leaf + 1)) - 1)
    is_compared = (number > place - parts) & (number <= place)
    between = total - kept.total + 0.5 * (kept.momentum - here.momentum)
    back = jnp.sum(kept.velocity * between, axis=1), between @ here.velocity
    return kept, jnp.any(is_compared & ((back[0] <= 0) | (back[1] <= 0)))


def _either(condition: Any, one: Any, other: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)
