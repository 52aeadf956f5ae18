"""The No-U-Turn sampler as one compiled loop, with every count and setting an argument.

The tree is NumPyro's; the warm-up is Stan's (dual averaging of the step size, dense mass matrix in
doubling windows) for coordinates in which the posterior is nearly round. The number of warm-up
steps and the target acceptance are arguments, so that it compiles once. The state holds the
random key, so that draws do not depend on how the loop is divided into chunks.

References
----------
M. D. Hoffman, A. Gelman, J. Mach. Learn. Res. 15 (2014) 1593-1623;
Stan Reference Manual, "HMC algorithm parameters".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jax.scipy.linalg import solve_triangular

from rheojobs.inference.sampling.options import MAX_TREE_DEPTH
from rheojobs.inference.sampling.private_numpyro import doubled_tree
from rheojobs.inference.sampling.warmup.adaptation import Moments, StepSize

__all__ = [
    "CHUNK_CAPACITY",
    "ChainState",
    "Draws",
    "Settings",
    "advance",
    "empty_state",
    "first_state",
    "window_ends",
]

CHUNK_CAPACITY = 512
"""The most steps whose draws one call can return."""

MAX_WINDOWS = 24

FIRST_SHARE, LAST_SHARE = 0.15, 0.3
"""Fractions of the warm-up: to find the typical set first, and to tune the step size last.

With a short last window the step size is random, and may differ by a factor of three between
chains: some are slow, some diverge.
"""

FIRST_WINDOW = 25
"""Steps of the first window that estimates the mass matrix; each is twice as long as the last."""

FIRST_ROOM = 5.0
"""How far above the center's potential a chain may begin, per coordinate.

Draws lie half a unit above it.
"""

FEW_STEPS = 20
"""A warm-up of at most this length tunes only the step size."""

ROUND, NOT_ROUND = (20.0, 1.0), (5.0, 1e-3)
"""The weight, in draws, of a multiple of the unit matrix as an estimate of the covariance.

The first where the coordinates are those in which the posterior is round, the second, Stan's,
where only their scales are known.
"""

Potential = Callable[[jax.Array], jax.Array]


class Settings(NamedTuple):
    """The settings of a chain; all of them traced, so that changing them compiles nothing."""

    num_warmup: Any
    target_accept: Any
    max_tree_depth: Any
    window_ends: Any
    num_windows: Any
    prior_weight: Any
    prior_variance: Any

    @classmethod
    def of(
        cls, num_warmup: int, target_accept: float, max_tree_depth: int, is_round: bool = True
    ) -> Settings:
        """Plan the warm-up, for coordinates in which the posterior is round or is not."""
        planned = window_ends(num_warmup)
        ends = np.full(MAX_WINDOWS, -1)
        ends[: len(planned)] = planned
        return cls(
            np.int64(num_warmup),
            np.float64(target_accept),
            np.int64(max_tree_depth),
            ends,
            np.int64(len(planned)),
            *map(np.float64, ROUND if is_round else NOT_ROUND),
        )


def window_ends(num_warmup: int) -> list[int]:
    """Plan the windows of a warm-up; return the last step of each, counted from 0."""
    if num_warmup <= FEW_STEPS:
        return [num_warmup - 1] if num_warmup > 0 else []
    last = num_warmup - int(LAST_SHARE * num_warmup)
    start, size = int(FIRST_SHARE * num_warmup), FIRST_WINDOW
    ends = [start]
    while ends[-1] < last:
        # If the rest is too short for another whole window, this one takes it too.
        ends.append(ends[-1] + size if last - ends[-1] >= 3 * size else last)
        size *= 2
    return [end - 1 for end in (*ends, num_warmup)]


class ChainState(NamedTuple):
    """All that a chain needs to continue: position, adaptation, random key."""

    step: Any
    z: Any
    gradient: Any
    potential: Any
    step_size: Any
    inverse_mass: Any
    mass_sqrt: Any
    adapting: Any
    moments: Any
    window: Any
    key: Any


class Draws(NamedTuple):
    """The draws of one chunk; the first axis counts its steps.

    `cut_short` holds whether the tree could not double any more, with no U-turn in sight.
    """

    z: Any
    potential: Any
    energy: Any
    accept: Any
    leapfrogs: Any
    diverging: Any
    step_size: Any
    cut_short: Any


def empty_state(dimension: int) -> ChainState:
    """Return a state whose structure is that of all states of this dimension."""
    zero = jnp.zeros(dimension)
    return _state_at(zero, jnp.asarray(0.0), zero, jax.random.PRNGKey(0))


def first_state(
    potential: Potential, proposals: jax.Array, key: jax.Array, forward: bool, largest: float
) -> tuple[ChainState, jax.Array]:
    """Start a chain at the first of several points, shape (k, d), whose potential is not too large.

    It is too large if not below `largest`, or far above that of the last point, the center: a
    chain that begins outside the posterior's mass may get stuck elsewhere.

    Returns
    -------
    ChainState, array of bool
        The state at that point, and whether there is one; else the state is at the first point.
    """
    # One after another, not at once: the model is compiled a single time.
    values, gradients = lax.map(lambda z: _value_and_gradient(potential, z, forward), proposals)
    good = jnp.isfinite(values) & (values < largest)
    near = values <= values[-1] + proposals.shape[1] * FIRST_ROOM
    good = good & jnp.where(good[-1], near, True)
    chosen = jnp.argmax(good)
    state = _state_at(proposals[chosen], values[chosen], gradients[chosen], key)
    return state, good.any()


def _state_at(z: jax.Array, value: jax.Array, gradient: jax.Array, key: jax.Array) -> ChainState:
    """Return the state of a chain at `z`, with a unit mass matrix and a unit step."""
    dimension = z.shape[0]
    # With definite types: else the first chunk would be compiled separately.
    step_size = jnp.asarray(1.0, dtype=jnp.float64)
    return ChainState(
        jnp.asarray(0, dtype=jnp.int64),
        z,
        gradient,
        value,
        step_size,
        jnp.eye(dimension),
        jnp.eye(dimension),
        StepSize.around(jnp.log(10 * step_size)),
        Moments.none(dimension),
        jnp.asarray(0, dtype=jnp.int64),
        key,
    )


def _value_and_gradient(
    potential: Potential, z: jax.Array, forward: bool
) -> tuple[jax.Array, jax.Array]:
    if forward:
        return potential(z), jax.jacfwd(potential)(z)
    return jax.value_and_grad(potential)(z)


def advance(
    potential: Potential,
    state: ChainState,
    steps: jax.Array,
    leapfrogs: jax.Array,
    settings: Settings,
    forward: bool,
) -> tuple[ChainState, Draws]:
    """Take at most `steps` and `CHUNK_CAPACITY` steps; those of the warm-up adapt the chain.

    Parameters
    ----------
    potential : callable
        Minus the log density of a position, shape (d,) -> ().
    state : ChainState
        The state of the chain.
    steps : array, int
        How many steps to take at most; the state counts them.
    leapfrogs : array, int
        No further step is begun after so many leapfrogs. Trees differ in length by a factor of
        hundreds: leapfrogs, not steps, take a known time.
    settings : Settings
        The plan of the warm-up, and the limits.
    forward : bool
        Differentiate in forward mode, for models whose loops have no reverse.

    Returns
    -------
    ChainState, Draws
        In `Draws`, only the entries of the steps taken are set, from the first on.
    """
    dimension = state.z.shape[0]
    empty = jnp.zeros(CHUNK_CAPACITY)
    buffers = Draws(
        jnp.zeros((CHUNK_CAPACITY, dimension)),
        empty,
        empty,
        empty,
        jnp.zeros(CHUNK_CAPACITY, dtype=jnp.int32),
        jnp.zeros(CHUNK_CAPACITY, dtype=bool),
        empty,
        jnp.zeros(CHUNK_CAPACITY, dtype=bool),
    )

    def is_going_on(carry: tuple[Any, Any, ChainState, Draws]) -> Any:
        taken, spent, _, _ = carry
        return (taken < steps) & (spent < leapfrogs)

    def body(
        carry: tuple[Any, Any, ChainState, Draws],
    ) -> tuple[Any, Any, ChainState, Draws]:
        taken, spent, chain, kept = carry
        chain, draw = _step(potential, chain, settings, forward)
        kept = Draws(*(old.at[taken].set(new) for old, new in zip(kept, draw, strict=True)))
        return taken + 1, spent + draw.leapfrogs, chain, kept

    none = jnp.asarray(0, dtype=jnp.int64)
    _, _, state, draws = lax.while_loop(is_going_on, body, (none, none, state, buffers))
    return state, draws


def _step(
    potential: Potential, state: ChainState, settings: Settings, forward: bool
) -> tuple[ChainState, Draws]:
    key, key_momentum, key_tree = random.split(state.key, 3)
    momentum = state.mass_sqrt @ random.normal(key_momentum, state.z.shape)
    tree = doubled_tree(
        potential,
        forward,
        (state.z, momentum, state.potential, state.gradient),
        state.inverse_mass,
        state.step_size,
        key_tree,
        (settings.max_tree_depth, MAX_TREE_DEPTH),
    )
    accept = tree.sum_accept_probs / tree.num_proposals
    used_step_size = state.step_size
    state = state._replace(
        z=tree.z_proposal,
        gradient=tree.z_proposal_grad,
        potential=tree.z_proposal_pe,
        key=key,
    )
    warming = state.step < settings.num_warmup
    state = lax.cond(warming, lambda s: _adapt(s, accept, settings), lambda s: s, state)
    draw = Draws(
        state.z,
        state.potential,
        tree.z_proposal_energy,
        accept,
        tree.num_proposals.astype(jnp.int32),
        tree.diverging,
        used_step_size,
        (tree.depth >= settings.max_tree_depth) & ~tree.turning & ~tree.diverging,
    )
    return state._replace(step=state.step + 1), draw


def _adapt(state: ChainState, accept: jax.Array, settings: Settings) -> ChainState:
    adapting = state.adapting.after(settings.target_accept - accept)
    last = state.step == settings.num_warmup - 1
    step_size = jnp.exp(jnp.where(last, adapting.averaged, adapting.log))
    limits = np.finfo(np.float64)
    step_size = jnp.clip(step_size, limits.tiny, limits.max)
    # The first window finds the typical set, and the last tunes only the step size.
    slow = (state.window > 0) & (state.window < settings.num_windows - 1)
    moments = lax.cond(slow, lambda m: m.after(state.z), lambda m: m, state.moments)
    at_end = state.step == settings.window_ends[state.window]
    state = state._replace(
        step_size=step_size,
        adapting=adapting,
        moments=moments,
        window=jnp.where(at_end, state.window + 1, state.window),
    )
    ended: ChainState = lax.cond(
        at_end & slow, lambda s: _end_window(s, settings), lambda s: s, state
    )
    return ended


def _end_window(state: ChainState, settings: Settings) -> ChainState:
    _, scatter, count = state.moments
    identity = jnp.eye(state.z.shape[0])
    spread = scatter / jnp.maximum(count - 1, 1)
    weight, known = settings.prior_weight, settings.prior_variance * identity
    inverse_mass = (count * spread + weight * known) / (count + weight)
    # With L the Cholesky factor of the inverse mass, L^-T times its transpose is the mass.
    factor = jnp.linalg.cholesky(inverse_mass)
    mass_sqrt = solve_triangular(factor, identity, lower=True, trans="T")
    return state._replace(
        inverse_mass=inverse_mass,
        mass_sqrt=mass_sqrt,
        adapting=StepSize.around(jnp.log(state.step_size)),
        moments=Moments.none(state.z.shape[0]),
    )
