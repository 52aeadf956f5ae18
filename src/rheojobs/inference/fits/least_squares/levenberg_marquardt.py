"""Nonlinear least squares within bounds by the Levenberg-Marquardt method, as a compiled program.

Sources: Marquardt, SIAM J. Appl. Math. 11 (1963) 431; Moré, Lect. Notes Math. 630 (1978) 105
(scaling, when to stop); Nielsen, Report IMM-REP-1999-05, DTU (damping).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.least_squares.damping import FIRST_GROWTH, damped_anew
from rheojobs.inference.fits.least_squares.residuals import (
    Data,
    Predict,
    Seen,
    Sums,
    linearized,
    summed,
)

__all__ = [
    "CHUNK",
    "FAILED",
    "REASONS",
    "RUNNING",
    "STALLED",
    "Proposal",
    "State",
    "Tolerances",
    "advanced",
    "begin",
    "iterate",
    "next_step",
    "tried",
]

CHUNK = 50
"""Iterations of one call at most; it returns the loss after each."""

RUNNING, FTOL, XTOL, GTOL, STALLED, FAILED = range(6)
REASONS = {
    FTOL: "the sum of squares no longer falls (ftol)",
    XTOL: "the parameters no longer change (xtol)",
    GTOL: "the gradient vanishes (gtol)",
    STALLED: "no step lowers the sum of squares: the model may not be smooth here",
    FAILED: "the model or its slope is not finite at the start",
}

FIRST_DAMPING = 1e-3
MOST_DAMPING = 1e15
LONGEST = 10.0
"""The longest step, as a multiple of the present coordinates, both scaled by their influence."""

ROUNDING = 1e-10
"""A relative change of the sum of squares that rounding errors, or those of a solver, may hide.

Below it the gradient decides whether a step is taken: the sum of squares is flat at its minimum.
"""

PASSES = 3
"""How often a step is recomputed because it met a bound."""

WRITTEN_OUT = 8
"""The most unknowns for which the solution of the normal equations is written out."""

LEAST_INFLUENCE = 1e-8
"""The least scale of a coordinate when steps are scaled, relative to the largest."""


class Tolerances(NamedTuple):
    """When to stop: the predicted relative fall of the sum of squares, the relative change of the
    coordinates, scaled by their influence; the gradient.
    """

    ftol: Any
    xtol: Any
    gtol: Any


class State(NamedTuple):
    """The state of a fit between iterations, of which nothing is as long as the data.

    Attributes
    ----------
    u : array, shape (d,)
        The best coordinates so far.
    cost : float
        The objective there.
    gradient : array, shape (d,)
        The Jacobian of the residuals, transposed, times them; each counts with its weight.
    hessian : array, shape (d, d)
        The Jacobian, transposed, times itself; each residual counts with its weight.
    largest : array, shape (d,)
        The largest norm of each column of the Jacobian so far.
    damping, growth : float
        Of the normal equations, and the factor by which it grows if a step is refused.
    status : int
        `RUNNING`, or why it ended.
    """

    u: Any
    cost: Any
    gradient: Any
    hessian: Any
    largest: Any
    damping: Any
    growth: Any
    status: Any


class Proposal(NamedTuple):
    """A step that is to be tried.

    Attributes
    ----------
    u : array, shape (d,)
        Where it leads, within the bounds.
    predicted : float
        The fall of the objective if the residuals were linear.
    slope : float
        The largest cosine between the residuals and a column of their Jacobian at the state.
    scale : array, shape (d,)
        Of each coordinate: its influence on the residuals; zero if it is not free.
    """

    u: Any
    predicted: Any
    slope: Any
    scale: Any

    @classmethod
    def at(cls, u: NDArray[np.float64]) -> Proposal:
        """Return the first one, which evaluates the start, shape (d,)."""
        return cls(u, np.float64(0.0), np.float64(0.0), np.zeros(len(u)))


def begin(u: NDArray[np.float64], damping: float = FIRST_DAMPING) -> State:
    """Return the state before the first iteration, which evaluates the start, shape (d,)."""
    d = len(u)
    return State(
        np.array(u, dtype=np.float64),
        np.float64(np.inf),
        np.zeros(d),
        np.zeros((d, d)),
        np.zeros(d),
        np.float64(damping),
        np.float64(FIRST_GROWTH),
        np.int64(RUNNING),
    )


def iterate(
    predict: Predict, state: State, data: Data, tolerances: Tolerances, steps: Any
) -> tuple[State, Any, Any, Seen, Any]:
    """Iterate until a stopping criterion is met or `steps` are made; traceable.

    Parameters
    ----------
    predict : callable
        The model.
    state : State
        The current state.
    data : Data
        What is fitted.
    tolerances : Tolerances
        When to stop.
    steps : int
        At most, and at most `CHUNK`.

    Returns
    -------
    state : State
        The new state.
    costs : array, shape (CHUNK,)
        The objective after each iteration.
    count : int
        How many iterations were made.
    seen : Seen
        What the model gives at the new state.
    is_seen : bool
        Whether it does: not if no step was accepted.
    """

    def more(carry: tuple[Any, ...]) -> Any:
        state, _, _, count, _, _ = carry
        return (state.status == RUNNING) & (count < steps)

    def once(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        state, proposal, costs, count, before, is_seen = carry
        state, proposal, accepted, seen = tried(predict, state, proposal, data, tolerances)
        seen = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), seen, before)
        costs = costs.at[count].set(state.cost)
        return state, proposal, costs, count + 1, seen, is_seen | accepted

    none = jnp.zeros_like(data.y)
    nothing = Seen(none, jnp.zeros((len(state.u), *none.shape)), none)
    begun = jnp.zeros(CHUNK), jnp.int64(0), nothing, jnp.asarray(False)
    first = (state, next_step(state, data), *begun)
    state, _, costs, count, seen, is_seen = jax.lax.while_loop(more, once, first)
    return state, costs, count, seen, is_seen


def tried(
    predict: Predict, state: State, proposal: Proposal, data: Data, goals: Tolerances
) -> tuple[State, Proposal, Any, Seen]:
    """Try a step: what `advanced` returns, and what the model gives where the step leads."""
    seen, allowed = linearized(predict, proposal.u, data)
    return *advanced(state, proposal, summed(seen, allowed, data), data, goals), seen


def advanced(
    state: State, proposal: Proposal, sums: Sums, data: Data, goals: Tolerances
) -> tuple[State, Proposal, Any]:
    """Return the state after a step was tried, the next step, and if that one was accepted.

    Parameters
    ----------
    state : State
        The state before.
    proposal : Proposal
        The step.
    sums : Sums
        Where it leads.
    data : Data
        Its bounds alone are used.
    goals : Tolerances
        When to stop.
    """
    state, accepted = _judged(state, proposal, sums, data, goals)
    return state, next_step(state, data), accepted


def next_step(state: State, data: Data) -> Proposal:
    """Return the next step; a state that was never evaluated evaluates the start."""
    step, predicted, slope, scale = _step(state, data)
    moved = jnp.clip(state.u + step, data.lower, data.upper)
    return Proposal(jnp.where(_is_fresh(state), state.u, moved), predicted, slope, scale)


def _judged(
    state: State, proposal: Proposal, sums: Sums, data: Data, goals: Tolerances
) -> tuple[State, Any]:
    """Return the state after a step was tried, and whether the step was accepted."""
    fresh, (u, predicted, slope, scale) = _is_fresh(state), proposal
    cost, gradient, hessian, allowed = sums
    usable = allowed & jnp.isfinite(cost) & jnp.isfinite(hessian).all()
    cost = jnp.where(usable, cost, jnp.inf)

    gain = state.cost - cost
    # A step that is short because of heavy damping does not mean that the minimum is near.
    free = state.damping <= 1.0
    flat = free & (predicted >= 0) & (predicted <= ROUNDING * state.cost)
    same = flat & (jnp.abs(gain) <= ROUNDING * state.cost)
    there = state._replace(u=u, cost=cost, gradient=gradient, hessian=hessian)
    # Few iterations ask for it, and it takes as long as the step itself.
    flatter = jax.lax.cond(same, lambda: _step(there, data)[1] < predicted, lambda: False)
    ratio = jnp.where(same, 1.0, gain / jnp.where(predicted > 0, predicted, jnp.inf))
    better = (predicted > 0) & ((gain > 0) | (same & flatter))
    accepted = usable & (fresh | better)
    damping, growth = damped_anew(state.damping, state.growth, ratio, accepted)
    damping = jnp.where(fresh, state.damping, jnp.maximum(damping, 1e-15))

    small = free & (predicted >= 0) & (predicted <= goals.ftol * state.cost)
    small = small & (jnp.abs(gain) <= jnp.maximum(goals.ftol, ROUNDING) * state.cost)
    size = jnp.linalg.norm(scale * (u - state.u))
    near = free & accepted & (size <= goals.xtol * jnp.linalg.norm(scale * state.u))
    ended = jnp.where(
        damping > MOST_DAMPING,
        STALLED,
        jnp.where(near, XTOL, jnp.where(small | (flat & ~accepted), FTOL, RUNNING)),
    )
    ended = jnp.where(slope <= goals.gtol, GTOL, ended)
    status = jnp.where(fresh, jnp.where(usable, RUNNING, FAILED), ended)

    def choose(new: Any, old: Any) -> Any:
        return jnp.where(accepted, new, old)

    moved = State(
        choose(u, state.u),
        choose(cost, state.cost),
        choose(gradient, state.gradient),
        choose(hessian, state.hessian),
        jnp.maximum(state.largest, choose(jnp.sqrt(jnp.diag(hessian)), 0.0)),
        damping,
        growth,
        status.astype(state.status.dtype),
    )
    return moved, accepted


def _is_fresh(state: State) -> Any:
    return ~jnp.isfinite(state.cost)


def _step(state: State, data: Data) -> tuple[Any, Any, Any, Any]:
    """Return a damped step within the bounds, its predicted gain, the slope, and the scale.

    The slope is the largest cosine between the residuals and a column of their Jacobian.
    """
    cost, gradient, hessian = state.cost, state.gradient, state.hessian
    lengths = jnp.sqrt(jnp.diag(hessian))
    scale = jnp.maximum(state.largest, lengths)
    # A coordinate that hardly moves the curve would take the longest step at any damping.
    scale = jnp.maximum(scale, LEAST_INFLUENCE * jnp.max(scale))
    scale = jnp.where(scale > 0, scale, 1.0)
    at_lower, at_upper = state.u <= data.lower, state.u >= data.upper
    pinned = (at_lower & (gradient > 0)) | (at_upper & (gradient < 0)) | (data.lower >= data.upper)
    matrix = hessian / jnp.outer(scale, scale) + state.damping * jnp.eye(len(scale))
    wanted = -gradient / scale

    def is_going_on(carry: tuple[Any, Any, Any, Any]) -> Any:
        _, _, has_met, passes = carry
        return has_met & (passes < PASSES)

    def solve(carry: tuple[Any, Any, Any, Any]) -> tuple[Any, Any, Any, Any]:
        step, held, _, passes = carry
        rest = jnp.where(held, 0.0, wanted - matrix @ jnp.where(held, step, 0.0))
        system = jnp.where(held[:, None] | held[None, :], jnp.eye(len(scale)), matrix)
        solved = _solved(system, rest)
        moved = jnp.clip(solved / scale, -data.longest, data.longest)
        inside = jnp.clip(state.u + moved, data.lower, data.upper) - state.u
        step = jnp.where(held, step, inside * scale)
        meets = ~held & (inside != moved)
        return step, held | meets, meets.any(), passes + 1

    # Coordinates that would leave the bounds stop there; the step is solved for the others.
    first = jnp.zeros_like(wanted), pinned, jnp.asarray(True), 0
    step, *_ = jax.lax.while_loop(is_going_on, solve, first)
    # Far from a minimum the slopes hold for a short way only.
    free_scale = jnp.where(data.lower < data.upper, scale, 0.0)
    size = jnp.abs(state.u)
    size = jnp.where(jnp.isfinite(data.longest), jnp.maximum(size, 1.0), size)
    most, length = LONGEST * jnp.linalg.norm(free_scale * size), jnp.linalg.norm(step)
    step = jnp.where((most > 0) & (length > most), most / length, 1.0) * step
    taken = step / scale
    predicted = -(2.0 * gradient @ taken + taken @ hessian @ taken)
    cosines = jnp.abs(gradient) / (jnp.where(lengths > 0, lengths, 1.0) * jnp.sqrt(cost))
    slope = jnp.max(jnp.where(pinned | (cost <= 0), 0.0, cosines))
    return taken, jnp.where(jnp.isfinite(predicted), predicted, -jnp.inf), slope, free_scale


def _solved(matrix: Any, right: Any) -> Any:
    """Solve for a positive definite matrix, shape (d, d); NaN if it is not.

    A few unknowns are written out: LAPACK takes one small matrix of many after another.
    """
    d = len(right)
    if d > WRITTEN_OUT:
        factor = jnp.linalg.cholesky(matrix)
        return jax.scipy.linalg.cho_solve((factor, True), right)
    lower: list[list[Any]] = [[] for _ in range(d)]
    for i in range(d):
        for j in range(i + 1):
            rest = matrix[i, j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i].append(rest / lower[j][j] if j < i else jnp.sqrt(rest))
    found: list[Any] = []
    for i in range(d):
        rest = right[i] - sum(lower[i][k] * found[k] for k in range(i))
        found.append(rest / lower[i][i])
    for i in reversed(range(d)):
        rest = found[i] - sum(lower[k][i] * found[k] for k in range(i + 1, d))
        found[i] = rest / lower[i][i]
    return jnp.stack(found)
