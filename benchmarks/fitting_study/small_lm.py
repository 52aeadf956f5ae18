"""Levenberg and Marquardt's method in forty lines of JAX, as a user would write it to `vmap` it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["minimized"]

MOST = 100
TOLERANCE = 1e-10


def minimized(residuals: Callable[..., Any], u: Any, *data: Any) -> Any:
    """Return where the sum of the squares of ``residuals(u, *data)`` is least; traceable."""

    def at(u: Any) -> tuple[Any, Any]:
        found = residuals(u, *data)
        return found, jax.jacfwd(residuals)(u, *data)

    def is_going_on(state: Any) -> Any:
        _, _, _, _, change, steps = state
        return (change > TOLERANCE) & (steps < MOST)

    def step(state: Any) -> Any:
        u, r, jacobian, damping, change, steps = state
        normal = jacobian.T @ jacobian
        damped = normal + damping * jnp.diag(jnp.diag(normal))
        move = jnp.linalg.solve(damped, -jacobian.T @ r)
        tried, slopes = at(u + move)
        is_better = jnp.sum(tried**2) < jnp.sum(r**2)

        def chosen(new: Any, old: Any) -> Any:
            return jnp.where(is_better, new, old)

        change = jnp.max(jnp.abs(move) / (jnp.abs(u) + TOLERANCE))
        damping = chosen(0.1 * damping, 10.0 * damping)
        kept = (chosen(u + move, u), chosen(tried, r), chosen(slopes, jacobian))
        return (*kept, damping, change, steps + 1)

    start = (u, *at(u), jnp.asarray(1e-3), jnp.asarray(jnp.inf), jnp.asarray(0))
    return jax.lax.while_loop(is_going_on, step, start)[0]
