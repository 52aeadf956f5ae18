"""Fits of one kind side by side in one program; traceable.

Each goes its own way: none takes more steps because of the others, and none a different one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rheojobs.inference.fits.least_squares.levenberg_marquardt import (
    RUNNING,
    State,
    Tolerances,
    next_step,
    tried,
)
from rheojobs.inference.fits.least_squares.residuals import Data, Predict, Seen, linearized

__all__ = ["costs_each", "iterate_each", "seen_each"]

EACH = Data(0, 0, 0, 0, 0, None, None, None, None, None)
"""Along which axis the data of a group are its members'; None for what all have in common."""


def iterate_each(
    predict: Predict, states: State, data: Data, tolerances: Tolerances, steps: Any
) -> tuple[State, Any]:
    """Iterate each until it has ended or made its steps; return how many were made too.

    Parameters
    ----------
    predict : callable
        The model.
    states : State
        With a leading axis, as `data`.
    data : Data
        What is fitted.
    tolerances : Tolerances
        When to stop.
    steps : array, shape (s,)
        How many each makes at most.
    """

    def one(state: State, own: Data, most: Any) -> tuple[State, Any]:
        def more(carry: tuple[Any, ...]) -> Any:
            return (carry[0].status == RUNNING) & (carry[2] < most)

        def once(carry: tuple[Any, ...]) -> tuple[Any, ...]:
            state, proposal, count = carry
            state, proposal, _, _ = tried(predict, state, proposal, own, tolerances)
            return state, proposal, count + 1

        first = state, next_step(state, own), jnp.int64(0)
        state, _, count = jax.lax.while_loop(more, once, first)
        return state, count

    moved: tuple[State, Any] = jax.vmap(one, in_axes=(0, EACH, 0))(states, data, steps)
    return moved


def seen_each(predict: Predict, points: Any, data: Data) -> Seen:
    """Return what the model gives at coordinates, shape (s, d), of each."""

    def one(u: Any, own: Data) -> Seen:
        return linearized(predict, u, own)[0]

    seen: Seen = jax.vmap(one, in_axes=(0, EACH))(points, data)
    return seen


def costs_each(cost: Callable[[Any, Data], Any], points: Any, data: Data) -> Any:
    """Return the objective at each of the points of each, shape (s, k, d); one after another."""

    def one(item: tuple[Any, Any]) -> Any:
        own_points, (x, y, sigma, mask, logarithmic) = item
        own = data._replace(x=x, y=y, sigma=sigma, mask=mask, logarithmic=logarithmic)
        return jax.vmap(cost, in_axes=(0, None))(own_points, own)

    return jax.lax.map(one, (points, tuple(data[:5])))
