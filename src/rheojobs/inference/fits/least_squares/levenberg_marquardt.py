"""Nonlinear least squares within bounds by the Levenberg-Marquardt method, as a compiled program.

Data, weights, bounds and the kind of loss are arguments, so that one program serves every fit
of a model.

Sources: Marquardt, SIAM J. Appl. Math. 11 (1963) 431; Moré, Lect. Notes Math. 630 (1978) 105
(scaling, when to stop); Nielsen, Report IMM-REP-1999-05, DTU (damping); Holland & Welsch,
Commun. Stat. A6 (1977) 813 (robust losses by reweighting).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.fits.least_squares.damping import FIRST_GROWTH, damped_anew
from rheojobs.inference.fits.least_squares.losses import loss_weight
from rheojobs.inference.fits.options import LOSSES

__all__ = [
    "CHUNK",
    "FAILED",
    "REASONS",
    "RUNNING",
    "STALLED",
    "Data",
    "Seen",
    "State",
    "Tolerances",
    "begin",
    "iterate",
    "objective",
    "residuals_of",
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

LEAST_INFLUENCE = 1e-8
"""The least scale of a coordinate when steps are scaled, relative to the largest."""

LEAST_RATIO = 1e-10
"""Below this fraction of a datum, a curve's logarithm is continued as a straight line."""


class Data(NamedTuple):
    """The data, weights, loss and bounds of a fit.

    Attributes
    ----------
    x : array, shape (b,)
        The independent variable.
    y, sigma : array, shape (c, b)
        The observed components, and the divisors of their residuals.
    mask : array, shape (b,)
        1 at data, 0 at padding.
    logarithmic : float
        1 if residuals are ln(curve / data), else 0.
    loss : int
        An index of `options.LOSSES`.
    scale : float
        The residual beyond which a robust loss counts it for less.
    lower, upper : array, shape (d,)
        Bounds of the coordinates; a coordinate is not free if they coincide.
    longest : array, shape (d,)
        The longest step of each coordinate.
    """

    x: Any
    y: Any
    sigma: Any
    mask: Any
    logarithmic: Any
    loss: Any
    scale: Any
    lower: Any
    upper: Any
    longest: Any


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


class Seen(NamedTuple):
    """What the model gives at the coordinates that were tried last.

    Attributes
    ----------
    residuals : array, shape (c, b)
        Weighted, before any loss.
    jacobian : array, shape (d, c, b)
        Their derivatives.
    curve : array, shape (c, b)
        The prediction.
    is_best : bool
        Whether these coordinates are those of the state.
    """

    residuals: Any
    jacobian: Any
    curve: Any
    is_best: Any


def begin(u: NDArray[np.float64]) -> State:
    """Return the state before the first iteration, which evaluates the start, shape (d,)."""
    d = len(u)
    return State(
        np.array(u, dtype=np.float64),
        np.float64(np.inf),
        np.zeros(d),
        np.zeros((d, d)),
        np.zeros(d),
        np.float64(FIRST_DAMPING),
        np.float64(FIRST_GROWTH),
        np.int64(RUNNING),
    )


def _rho(z: Any, loss: Any) -> tuple[Any, Any]:
    """Return a loss of squared residuals by its number, and its derivative."""
    values = {
        "linear": lambda z: z,
        "soft_l1": lambda z: 2.0 * (jnp.sqrt(1.0 + z) - 1.0),
        "huber": lambda z: jnp.where(z <= 1.0, z, 2.0 * jnp.sqrt(jnp.maximum(z, 1.0)) - 1.0),
        "cauchy": jnp.log1p,
    }

    def branch(name: str) -> Callable[[Any], tuple[Any, Any]]:
        return lambda z: (values[name](z), loss_weight(z, name))

    chosen: tuple[Any, Any] = jax.lax.switch(loss, [branch(name) for name in LOSSES], z)
    return chosen


def residuals_of(curve: Any, data: Data) -> Any:
    """Return the weighted residuals of a curve, shape (c, b); zero at padding."""
    positive = jnp.where(data.y > 0, data.y, 1.0)
    ratio = curve / positive
    kept = jnp.maximum(ratio, LEAST_RATIO)
    logarithm = jnp.log(kept) + (ratio - kept) / LEAST_RATIO
    plain = curve - data.y
    chosen = jnp.where(data.logarithmic > 0, logarithm, plain) / data.sigma
    return jnp.where(data.mask > 0, chosen, 0.0)


def objective(residuals: Any, data: Data) -> tuple[Any, Any]:
    """Return the sum that is minimized, and each residual's weight in it."""
    values, weights = _rho((residuals / data.scale) ** 2, data.loss)
    return data.scale**2 * jnp.sum(values), weights


def iterate(
    predict: Callable[[Any, Any], tuple[Any, Any]],
    state: State,
    data: Data,
    tolerances: Tolerances,
    steps: Any,
) -> tuple[State, Any, Any, Seen]:
    """Iterate until a stopping criterion is met or `steps` are made; traceable.

    Parameters
    ----------
    predict : callable
        ``(x, u) -> (curve, allowed)``: the components, shape (c, b), and whether the coordinates
        are valid.
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
        Of the last one.
    """

    def more(carry: tuple[Any, ...]) -> Any:
        state, _, count, _ = carry
        return (state.status == RUNNING) & (count < steps)

    def once(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        state, costs, count, _ = carry
        state, seen = _iteration(predict, state, data, tolerances)
        return state, costs.at[count].set(state.cost), count + 1, seen

    none = jnp.zeros_like(data.y)
    nothing = Seen(none, jnp.zeros((len(state.u), *none.shape)), none, jnp.asarray(False))
    start = state, jnp.zeros(CHUNK), jnp.int64(0), nothing
    result: tuple[State, Any, Any, Seen] = jax.lax.while_loop(more, once, start)
    return result


def _iteration(
    predict: Callable[[Any, Any], tuple[Any, Any]], state: State, data: Data, goals: Tolerances
) -> tuple[State, Seen]:
    """Try one step; a state that was never evaluated evaluates the start."""
    fresh = ~jnp.isfinite(state.cost)
    step, predicted, slope, scale = _step(state, data)
    u = jnp.where(fresh, state.u, jnp.clip(state.u + step, data.lower, data.upper))
    residuals, jacobian, curve, allowed = _linearized(predict, u, data)
    cost, weights = objective(residuals, data)
    columns = jacobian.reshape(len(u), -1)
    weighted = columns * weights.reshape(-1)
    gradient, hessian = weighted @ residuals.reshape(-1), weighted @ columns.T
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
    return moved, Seen(residuals, jacobian, curve, accepted)


def _linearized(
    predict: Callable[[Any, Any], tuple[Any, Any]], u: Any, data: Data
) -> tuple[Any, Any, Any, Any]:
    """Return weighted residuals, (c, b), their Jacobian, (d, c, b), the curve and `allowed`."""

    def weighted(u: Any) -> tuple[Any, Any]:
        curve, allowed = predict(data.x, u)
        residuals = residuals_of(curve, data)
        return residuals, (residuals, curve, allowed)

    try:
        jacobian, (residuals, curve, allowed) = jax.jacfwd(weighted, has_aux=True)(u)
    except TypeError:  # a function whose only derivative is a vector-Jacobian product
        jacobian, (residuals, curve, allowed) = jax.jacrev(weighted, has_aux=True)(u)
    return residuals, jnp.moveaxis(jacobian, -1, 0), curve, allowed


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
        factor = jnp.linalg.cholesky(system)
        solved = jax.scipy.linalg.cho_solve((factor, True), rest)
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
