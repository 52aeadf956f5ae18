"""Find a maximum of a log density by the Levenberg-Marquardt method, as one compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rheojobs.inference.fits.least_squares.damping import FIRST_GROWTH, damped_anew

__all__ = ["MAX_STEPS", "NEAR_ENOUGH", "Climb", "View", "go_on", "setting_out"]

MAX_STEPS = 250
NEAR_ENOUGH = 0.05
"""How far below the maximum a climb may end, in units of the log density.

Draws lie half a unit below it for each parameter, so that more precision would gain nothing.
"""

FIRST_DAMPING = 0.1
LARGEST_DAMPING = 1e9

LARGEST_CONDITION = 1e12
"""Largest condition number of a curvature that can be inverted."""


class View(NamedTuple):
    """A log density near a point.

    Attributes
    ----------
    density : scalar
        The log density there.
    gradient : array, shape (d,)
        Of the log density.
    curvature : array, shape (d, d)
        Minus its second derivative, by Gauss and Newton: positive definite everywhere.
    """

    density: Any
    gradient: Any
    curvature: Any


class Climb(NamedTuple):
    """A climb at one moment.

    Attributes
    ----------
    center : array, shape (d,)
        The highest point so far.
    view : View
        The view from it.
    is_regular : array of bool
        Whether the view from it is finite with an invertible curvature.
    candidate : array, shape (d,)
        The next point.
    promised : scalar
        How much higher that would be if the density were Gaussian.
    damping, growth : scalar
        The damping of the steps, and the factor by which it grows after a failed one.
    taken : array of int
        How many points were evaluated.
    is_going_on : array of bool
        Whether the climb continues.
    """

    center: Any
    view: View
    is_regular: Any
    candidate: Any
    promised: Any
    damping: Any
    growth: Any
    taken: Any
    is_going_on: Any


def setting_out(start: Any) -> Climb:
    """Return a climb before its first evaluation, at the start, shape (d,)."""
    at = np.asarray(start, dtype=np.float64)
    zero, yes = np.float64(0.0), np.bool_(True)
    view = View(zero, np.zeros_like(at), np.eye(at.size))
    damping, growth = np.float64(FIRST_DAMPING), np.float64(FIRST_GROWTH)
    return Climb(at, view, yes, at, zero, damping, growth, np.int64(0), yes)


def go_on(look: Callable[[Any], View], climb: Climb, points: Any) -> Climb:
    """Evaluate so many points more, or fewer if the climb ends."""
    end = climb.taken + points

    def is_going_on(climb: Climb) -> Any:
        return climb.is_going_on & (climb.taken < end)

    climbed: Climb = lax.while_loop(
        is_going_on, lambda climb: _after(climb, look(climb.candidate)), climb
    )
    return climbed


def _after(climb: Climb, seen: View) -> Climb:
    """Go to the candidate if it is higher, and choose the next one."""
    is_first = climb.taken == 0
    is_regular = _is_regular(seen)
    gain = seen.density - climb.view.density
    is_better = is_first | ((gain > 0) & is_regular)
    view: View = jax.tree.map(lambda new, old: jnp.where(is_better, new, old), seen, climb.view)
    center = jnp.where(is_better, climb.candidate, climb.center)
    is_regular = jnp.where(is_better, is_regular, climb.is_regular)
    damping, growth = damped_anew(climb.damping, climb.growth, gain / climb.promised, is_better)
    damping = jnp.where(is_first, climb.damping, damping)

    units, values, vectors = _axes(view.curvature)
    slope = vectors.T @ (view.gradient / units)
    step = slope / (values + damping)
    taken = climb.taken + 1
    missing = 0.5 * jnp.sum(slope**2 / values)
    return Climb(
        center,
        view,
        is_regular,
        center + vectors @ step / units,
        0.5 * jnp.sum(step * (damping * step + slope)),
        damping,
        growth,
        taken,
        is_regular & (missing >= NEAR_ENOUGH) & (damping <= LARGEST_DAMPING) & (taken < MAX_STEPS),
    )


def _axes(curvature: Any) -> tuple[Any, Any, Any]:
    """Return the inverse width of each coordinate, and the principal axes in these units."""
    units = jnp.sqrt(jnp.diag(curvature))
    scaled = curvature / jnp.outer(units, units)
    scaled = jnp.where(jnp.isfinite(scaled).all(), scaled, jnp.eye(units.size))
    values, vectors = jnp.linalg.eigh(scaled)
    return units, values, vectors


def _is_regular(view: View) -> Any:
    finite = [jnp.isfinite(part).all() for part in view]
    _, values, _ = _axes(view.curvature)
    return jnp.stack(finite).all() & (values[-1] < LARGEST_CONDITION * values[0])
