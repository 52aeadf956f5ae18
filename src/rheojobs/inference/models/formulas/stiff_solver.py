"""Solve stiff differential equations: pure JAX, differentiable in forward mode.

The method is Rodas5P: eight stages, order 5, L-stable, one Jacobian and one inverse a step, no
iterations; between two steps its own interpolant of order 4. Explicit methods take a step for each
of the shortest times of a problem, this one takes steps as long as the solution is smooth.

Source: Steinebach, BIT Numer. Math. 63 (2023) 27 (method and coefficients); Hairer & Wanner,
Solving Ordinary Differential Equations II, IV.7 (transformed form of Rosenbrock methods).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["MOST_STEPS", "solve"]

MOST_STEPS = 16_384
"""Steps after which a solution is given up."""

_GAMMA = 0.21193756319429014
_LAST = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)
_STAGES = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    _LAST,
    (*_LAST, 1.0),
    (*_LAST, 1.0, 1.0),
)
_COUPLING = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (
        24.854864614690072,
        -3.0009227002832186,
        47.4931110020768,
        5.5814197821558125,
        -0.6610691825249471,
    ),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)
_BETWEEN = np.array(
    [
        [
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ],
        [
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ],
        [
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ],
    ]
)


def _square(rows: tuple[tuple[float, ...], ...]) -> Any:
    return np.array([[*row, *[0.0] * (8 - len(row))] for row in rows])


_TRIANGLE, _COUPLED = _square(_STAGES), _square(_COUPLING)
# Of a step's growth, as usual for methods of order 5.
_SAFETY, _LEAST, _MOST, _EXPONENT = 0.9, 0.2, 6.0, 1.0 / 5.0


class _State(NamedTuple):
    """What the loop carries."""

    t: Any
    y: Any
    h: Any
    out: Any
    steps: Any


def solve(
    slopes: Callable[[Any, Any], Any],
    start: Any,
    t: Any,
    rtol: float = 1e-8,
    atol: Any = 1e-10,
    first: Any = None,
) -> Any:
    """Return the solution of dy/dt = slopes(t, y) from time zero.

    Parameters
    ----------
    slopes : callable
        ``(t, y) -> dy/dt`` of shape (m,); smooth pieces suffice.
    start : array, shape (m,)
        y at time zero.
    t : array, shape (n,)
        Times from zero on, in any order; they do not change the steps but for the last.
    rtol, atol : float
        Tolerances of a step, relative and absolute; atol may be of shape (m,).
    first : float, optional
        The first step; by default a millionth of the longest time.

    Returns
    -------
    array, shape (n, m)
        NaN where the solution was given up.
    """
    import jax
    import jax.numpy as jnp

    t = jnp.asarray(t, dtype=float)
    start = jnp.asarray(start, dtype=float)
    end = jax.lax.stop_gradient(jnp.max(t))
    # Time is an element of the state: the method is for autonomous equations.
    whole = jnp.append(start, 0.0)

    def field(y: Any) -> Any:
        return jnp.append(slopes(y[-1], y[:-1]), 1.0)

    def unfinished(state: _State) -> Any:
        return (state.t < end) & (state.steps < MOST_STEPS) & (state.h > 1e-15 * state.t)

    def step(state: _State) -> _State:
        h = jnp.minimum(state.h, end - state.t)
        stages, inverse = _stages(field, state.y, h)
        after = state.y + jnp.asarray((*_LAST, 1.0, 1.0, 1.0)) @ stages
        scale = atol + rtol * jnp.maximum(jnp.abs(state.y[:-1]), jnp.abs(after[:-1]))
        # The interpolant is less accurate than the step's end: its defect in the middle counts too.
        middle, slope = _middle(state.y, after, stages)
        defect = inverse @ (slope / h - field(middle))
        wrong = jnp.maximum(jnp.abs(stages[-1]), jnp.abs(defect))[:-1]
        error = jax.lax.stop_gradient(jnp.max(wrong / scale))
        error = jnp.where(jnp.isfinite(error), error, 1e10)
        accepted = error <= 1.0
        growth = jnp.clip(_SAFETY * jnp.maximum(error, 1e-12) ** -_EXPONENT, _LEAST, _MOST)
        last = state.t + h >= end
        passed = accepted & (t > state.t) & ((t <= state.t + h) | last)
        part = jnp.where(passed, (t - state.t) / h, 0.0)
        values = _between(part, state.y, after, stages)[:, :-1]
        return _State(
            t=jnp.where(accepted, jnp.where(last, end, state.t + h), state.t),
            y=jnp.where(accepted, after, state.y),
            h=h * growth,
            out=jnp.where(passed[:, None], values, state.out),
            steps=state.steps + 1,
        )

    begin = end * 1e-6 if first is None else jax.lax.stop_gradient(jnp.asarray(first, dtype=float))
    out = jnp.broadcast_to(start, (t.shape[0], start.shape[0]))
    state = _State(jnp.zeros(()), whole, jnp.minimum(begin, end), out, jnp.zeros((), dtype=int))
    state = jax.lax.while_loop(unfinished, step, state)
    return jnp.where((t <= state.t)[:, None], state.out, jnp.nan)


def _stages(field: Callable[[Any], Any], y: Any, h: Any) -> tuple[Any, Any]:
    """Return the eight stages of a step of length h, and the inverse that filters a defect."""
    import jax
    import jax.numpy as jnp

    inverse = jnp.linalg.inv(jnp.eye(y.shape[0]) / (h * _GAMMA) - jax.jacfwd(field)(y))
    into, back = jnp.asarray(_TRIANGLE), jnp.asarray(_COUPLED)

    # A loop instead of eight copies of the equations: they compile in a third of the time.
    def stage(k: Any, stages: Any) -> Any:
        right = field(y + into[k] @ stages) + back[k] @ stages / h
        return stages.at[k].set(inverse @ right)

    return jax.lax.fori_loop(0, 8, stage, jnp.zeros((8, y.shape[0]))), inverse


def _middle(before: Any, after: Any, stages: Any) -> tuple[Any, Any]:
    """Return the interpolant in the middle of a step, and its slope times the step."""

    one, two, three = _BETWEEN @ stages
    value = (before + after) / 2.0 + (one + two / 2.0 + three / 4.0) / 4.0
    return value, after - before + (two + three) / 4.0


def _between(part: Any, before: Any, after: Any, stages: Any) -> Any:
    """Return the solution within a step, at the given parts of it, shape (n, m)."""

    part = part[:, None]
    one, two, three = _BETWEEN @ stages
    inner = one + part * (two + part * three)
    return (1.0 - part) * before + part * (after + (1.0 - part) * inner)
