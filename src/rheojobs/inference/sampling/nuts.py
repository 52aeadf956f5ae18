"""The No-U-Turn sampler as one compiled loop, with every count and setting an argument.

The warm-up is Stan's (dual averaging of the step size, dense mass matrix in doubling windows) for
coordinates in which the posterior is nearly round. The number of warm-up steps and the target
acceptance are arguments, so that it compiles once. The random numbers of a step follow from its
number and the chain's key, so that draws do not depend on how the loop is divided into chunks.

References
----------
M. D. Hoffman, A. Gelman, J. Mach. Learn. Res. 15 (2014) 1593-1623;
Stan Reference Manual, "HMC algorithm parameters".
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import solve_triangular
from numpy.typing import NDArray

from rheojobs.inference.sampling.random_numbers import bits
from rheojobs.inference.sampling.trajectory import Potential, Start, grown
from rheojobs.inference.sampling.warmup.adaptation import Moments, StepSize

__all__ = [
    "CHUNK_CAPACITY",
    "ChainState",
    "Draws",
    "Settings",
    "advance",
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

SETTLED = 10
"""Steps of a window after which the step size is about what it is to be."""

FEW_STEPS = 20
"""A warm-up of at most this length tunes only the step size."""

ROUND, NOT_ROUND = (20.0, 1.0), (5.0, 1e-3)
"""The weight, in draws, of a multiple of the unit matrix as an estimate of the covariance.

The first where the coordinates are those in which the posterior is round, the second, Stan's,
where only their scales are known.
"""

NOWHERE = 1e300
"""The potential of a chain that knows none yet: any that is finite is lower."""


class Settings(NamedTuple):
    """The settings of a chain; all of them traced, so that changing them compiles nothing."""

    num_warmup: Any
    target_accept: Any
    careful_accept: Any
    max_tree_depth: Any
    window_ends: Any
    num_windows: Any
    prior_weight: Any
    prior_variance: Any

    @classmethod
    def of(
        cls,
        num_warmup: int,
        target_accept: float,
        max_tree_depth: int,
        is_round: bool = True,
        careful_accept: float | None = None,
    ) -> Settings:
        """Plan the warm-up, for coordinates in which the posterior is round or is not.

        A chain that has diverged after its first window aims at `careful_accept`, if it is given.
        """
        planned = window_ends(num_warmup)
        ends = np.full(MAX_WINDOWS, -1)
        ends[: len(planned)] = planned
        return cls(
            np.int64(num_warmup),
            np.float64(target_accept),
            np.float64(careful_accept or target_accept),
            np.int64(max_tree_depth),
            ends,
            np.int64(len(planned)),
            *map(np.float64, ROUND if is_round else NOT_ROUND),
        )

    @classmethod
    def to_look(cls) -> Settings:
        """Return the settings of a single leapfrog without warm-up."""
        return cls.of(0, 0.0, 1)


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
    """All that a chain needs to continue: position, adaptation, key of its random numbers."""

    step: Any
    z: Any
    gradient: Any
    potential: Any
    step_size: Any
    inverse_mass: Any
    mass_sqrt: Any
    adapting: StepSize
    moments: Moments
    window: Any
    diverged: Any
    key: Any

    @classmethod
    def at(cls, z: NDArray[np.float64]) -> Self:
        """Return a chain that is to begin at a position, shape (d,); it knows no density yet.

        Its step size is zero: a transition with `Settings.to_look` stays there, and finds the
        density and its gradient. This needs no program of its own.
        """
        zero, count = np.float64(0.0), np.int64(0)
        unit, none = np.eye(z.size), np.zeros(z.size)
        return cls(
            count,
            np.asarray(z, dtype=np.float64),
            none,
            np.float64(NOWHERE),
            zero,
            unit,
            unit,
            StepSize(zero, zero, zero, count, zero),
            Moments(none, np.zeros((z.size, z.size)), count),
            count,
            np.bool_(False),
            np.uint64(0),
        )

    def beginning(self, key: np.uint64) -> ChainState:
        """Return the chain before its first step, once it knows its density."""
        one = np.float64(1.0)
        adapting = self.adapting._replace(center=np.log(10 * one))
        return self._replace(step=np.int64(0), step_size=one, adapting=adapting, key=key)


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

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64]) -> Draws:
        """Make them of rows of numbers, shape (steps, d + 7), in which a program returns them."""
        z, others = rows[:, :-7].copy(), rows[:, -7:].T.copy()
        potential, energy, accept, leapfrogs, diverging, step_size, cut_short = others
        return cls(
            z,
            potential,
            energy,
            accept,
            leapfrogs.astype(np.int32),
            diverging.astype(bool),
            step_size,
            cut_short.astype(bool),
        )


def advance(
    potential: Potential,
    state: ChainState,
    steps: jax.Array,
    leapfrogs: jax.Array,
    settings: Settings,
) -> tuple[ChainState, jax.Array]:
    """Take at most `steps` and `CHUNK_CAPACITY` steps; those of the warm-up adapt the chain.

    Parameters
    ----------
    potential : callable
        Minus the log density of a position, shape (d,), and its gradient.
    state : ChainState
        The state of the chain.
    steps : array, int
        How many steps to take at most; the state counts them.
    leapfrogs : array, int
        No further step is begun after so many leapfrogs. Trees differ in length by a factor of
        hundreds: leapfrogs, not steps, take a known time.
    settings : Settings
        The plan of the warm-up, and the limits.

    Returns
    -------
    ChainState
        The chain after these steps.
    array, shape (CHUNK_CAPACITY, d + 7)
        The rows of `Draws`, of which only those of the steps taken are set, from the first on.
    """
    rows = jnp.zeros((CHUNK_CAPACITY, state.z.shape[0] + 7))

    def is_going_on(carry: tuple[Any, Any, ChainState, Any]) -> Any:
        taken, spent, _, _ = carry
        return (taken < steps) & (spent < leapfrogs)

    def body(carry: tuple[Any, Any, ChainState, Any]) -> tuple[Any, Any, ChainState, Any]:
        taken, spent, chain, kept = carry
        chain, row, made = _step(potential, chain, settings)
        return taken + 1, spent + made, chain, kept.at[taken].set(row)

    none = jnp.asarray(0, dtype=jnp.int64)
    _, _, state, rows = lax.while_loop(is_going_on, body, (none, none, state, rows))
    return state, rows


def _step(
    potential: Potential, state: ChainState, settings: Settings
) -> tuple[ChainState, Any, Any]:
    """Make one transition; return the row of its draw and the number of leapfrogs too."""
    key = bits(state.key, state.step)
    start = Start.at(state.z, state.potential, state.gradient, state.mass_sqrt, key)
    end = grown(potential, start, state.inverse_mass, state.step_size, key, settings.max_tree_depth)
    columns = [
        end.potential,
        end.energy,
        end.accept,
        end.leapfrogs,
        end.diverging,
        state.step_size,
        end.cut_short,
    ]
    row = jnp.concatenate([end.z, jnp.stack([jnp.asarray(each, float) for each in columns])])
    state = state._replace(z=end.z, gradient=end.gradient, potential=end.potential)
    warming = state.step < settings.num_warmup
    # With the first steps of a window, which are long, a Gaussian diverges too.
    counts = warming & (state.window > 0) & (state.adapting.count >= SETTLED)
    state = state._replace(diverged=state.diverged | (end.diverging & counts))
    state = lax.cond(warming, lambda s: _adapt(s, end.accept, settings), lambda s: s, state)
    return state._replace(step=state.step + 1), row, end.leapfrogs


def _adapt(state: ChainState, accept: jax.Array, settings: Settings) -> ChainState:
    target = jnp.where(state.diverged, settings.careful_accept, settings.target_accept)
    adapting = state.adapting.after(target - accept)
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
