"""A fractional rate equation as ordinary ones, exact to about 1e-6.

D^a lambda = F (Caputo) is lambda = lambda_0 + I^a F, and the kernel of the integral of order a is a
sum of exponentials: t^(a-1)/Gamma(a) = sin(pi a)/pi ∫ s^(-a) exp(-s t) ds over s from 0 on, by the
trapezoidal rule in ln s. So lambda = lambda_0 + sum w_j z_j with dz_j/dt = F - s_j z_j. The nodes
beyond both ends, whose sums are geometric, are two nodes with the same first two moments.

Source: Diethelm, Numer. Algorithms 47 (2008) 361 (diffusive representation); Trefethen & Weideman,
SIAM Rev. 56 (2014) 385 (the rule's error, exp(-pi²/step)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rheojobs.inference.models.formulas.stiff_solver import solve

__all__ = ["Memory", "exponentials", "solve_with_memory"]

_STEP = 0.7
_SLOWEST, _FASTEST = np.log(1e-6), np.log(1e6)  # 1/s
_FINE = 1e-9
"""The tolerance of each exponential's part of λ."""
_POINTS = np.arange(_SLOWEST, _FASTEST, _STEP)


class Memory(NamedTuple):
    """k sums of exponentials: dz/dt = weights F - rates z, all of shape (k, j), summed over j."""

    rates: Any
    weights: Any


def exponentials(order: Any) -> tuple[Any, Any]:
    """Return the rates / s⁻¹ and the weights of the exponentials of an order within (0, 1)."""
    import jax.numpy as jnp

    rise, fall = 1.0 - order, order
    middle = _STEP * jnp.exp(rise * _POINTS)
    below = _STEP * jnp.exp(rise * _POINTS[0]) / jnp.expm1(rise * _STEP)
    slow = _STEP * jnp.exp((1.0 + rise) * _POINTS[0]) / jnp.expm1((1.0 + rise) * _STEP) / below
    # Above, s is large: what counts are the integrals w / s and w / s².
    first = _STEP * jnp.exp(-fall * _POINTS[-1]) / jnp.expm1(fall * _STEP)
    second = _STEP * jnp.exp(-(1.0 + fall) * _POINTS[-1]) / jnp.expm1((1.0 + fall) * _STEP)
    fast = first / second
    rates = jnp.concatenate([slow[None], jnp.exp(_POINTS), fast[None]])
    weights = jnp.concatenate([below[None], middle, (first * fast)[None]])
    return rates, jnp.sin(jnp.pi * order) / jnp.pi * weights


def solve_with_memory(
    core: Callable[[Any, Any, Any], tuple[Any, Any]],
    start: Any,
    memory: Memory,
    t: Any,
    atol: Any,
    first: Any,
) -> Any:
    """Return the solution of dy/dt = f(t, y, sums) whose sums remember F(t, y, sums).

    The many exponentials meet only in their sums, so that a step solves for y and the sums.

    Parameters
    ----------
    core : callable
        ``(t, y, sums) -> (f, F)`` of shapes (m,) and (k,).
    start : array, shape (m,)
        y at time zero; nothing is remembered.
    memory : Memory
        The exponentials.
    t, atol, first
        As `stiff_solver.solve` takes them.

    Returns
    -------
    array, shape (n, m)
    """
    import jax
    import jax.numpy as jnp

    size, (count, nodes) = start.shape[0], memory.rates.shape

    def slopes(time: Any, state: Any) -> Any:
        kept = state[size:].reshape(count, nodes)
        change, force = core(time, state[:size], jnp.sum(kept, axis=1))
        return jnp.append(change, memory.weights * force[:, None] - memory.rates * kept)

    def linear(_: Any, packed: Any, g: Any) -> Callable[[Any], Any]:
        kept = packed[size:-1].reshape(count, nodes)
        reduced = jnp.concatenate([packed[:size], packed[-1:], jnp.sum(kept, axis=1)])

        def together(u: Any) -> Any:
            change, force = core(u[size], u[:size], u[size + 1 :])
            return jnp.concatenate([change, jnp.ones(1), force])

        jacobian = jax.jacfwd(together)(reduced)
        share = 1.0 / (g + memory.rates)
        gain = jnp.sum(memory.weights * share, axis=1)
        upper = jnp.eye(size + 1, size + 1 + count) * g - jacobian[: size + 1]
        force_by = jacobian[size + 1 :]
        lower = jnp.eye(count, size + 1 + count, size + 1) - gain[:, None] * force_by
        inverse = jnp.linalg.inv(jnp.concatenate([upper, lower]))

        def apply(right: Any) -> Any:
            old = right[size:-1].reshape(count, nodes) * share
            whole = jnp.concatenate([right[:size], right[-1:], jnp.sum(old, axis=1)])
            out = inverse @ whole
            new = old + memory.weights * share * (force_by @ out)[:, None]
            return jnp.concatenate([out[:size], new.ravel(), out[size : size + 1]])

        return apply

    whole = jnp.append(start, jnp.zeros(count * nodes))
    fine = jnp.append(jnp.broadcast_to(atol, (size,)), jnp.full(count * nodes, _FINE))
    return solve(slopes, whole, t, atol=fine, first=first, linear=linear)[:, :size]
