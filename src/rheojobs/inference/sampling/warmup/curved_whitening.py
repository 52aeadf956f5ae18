"""Find coordinates in which a curved ridge of a posterior is straight.

A posterior is often narrow along a line that is straight in a parameter, or in its logarithm, but
not in the unconstrained coordinate: near a bound, or over decades, the line bends, and chains in
straight coordinates get stuck there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.models.parameters import spans_decades
from rheojobs.inference.sampling.mode_search import View

__all__ = ["Bend", "bent"]

NEAR = 0.5
"""Where a ridge's straightness is examined, in standard deviations from the maximum."""

FAR = 4.0
"""How far chains move from the maximum, in standard deviations."""

STRAIGHT = 0.1
"""A ridge is not bent if its squared deviation from a line, in its own widths, is below this."""

WORTH = 0.5
"""A bend is only used if it reduces the deviation to at most this fraction."""

LEAST_SLOPE = 0.5
"""The least derivative of the logarithm by the coordinate at the maximum. If it is smaller, the
maximum is at a bound, and the coordinate is the better choice."""

LARGEST = 700.0
"""Largest coordinate whose exponential is finite."""

Floats = NDArray[np.float64]


class Bend(NamedTuple):
    """How coordinates follow others; each field is an array argument of compiled programs.

    A parameter's value is ``low + span * sigmoid(z)``, or ``low + exp(z)`` if the span is
    infinite. The ridge is linear in that value, or in its logarithm.

    Attributes
    ----------
    follow : ndarray, shape (d, d)
        How far each coordinate follows the bend by each parameter; strictly triangular in some
        order, so that the map preserves volume.
    low, span : ndarray, shape (d,)
        The limits of each parameter.
    is_open, is_linear : ndarray of bool, shape (d,)
        Whether its span is infinite; whether the ridge is straight in its value.
    origin, rate : ndarray, shape (d,)
        That value or logarithm at the center, and the change of it over which the coordinate
        changes by 1; a rate of 0 if nothing is bent.
    """

    follow: Any
    low: Any
    span: Any
    is_open: Any
    is_linear: Any
    origin: Any
    rate: Any

    @classmethod
    def none(cls, dimension: int) -> Self:
        """Return the identity, which bends nothing."""
        ones, zeros = np.ones((2, dimension)), np.zeros((2, dimension))
        no = np.zeros((2, dimension), dtype=bool)
        return cls(np.zeros((dimension, dimension)), *ones, *no, *zeros)

    def applied(self, center: Any, moved: Any) -> Any:
        """Bend a displacement from the center, shape (d,); traceable, and preserves volume."""
        return moved + self.follow @ self._excess(center, moved)

    def _excess(self, center: Any, moved: Any) -> Any:
        """Return by how much each parameter moves the others beyond a straight line."""
        z = center + moved
        value = self.low + jnp.where(
            self.is_open, jnp.exp(jnp.minimum(z, LARGEST)), self.span * jax.nn.sigmoid(z)
        )
        straight = jnp.where(self.is_linear, value, jnp.log(value))
        return jnp.where(self.rate != 0, (straight - self.origin) * self.rate - moved, 0.0)


def bent(
    center: Floats,
    curvature: Floats,
    limits: Sequence[tuple[float, float]],
    look: Callable[[Floats], View],
) -> tuple[Floats, Bend]:
    """Return coordinates in which a posterior is round even if its ridges are curved.

    Parameters
    ----------
    center : ndarray, shape (d,)
        Unconstrained coordinates of the maximum.
    curvature : ndarray, shape (d, d)
        Minus the second derivative of the log density there; positive definite.
    limits : sequence of (float, float)
        The bounds of each parameter.
    look : callable
        Returns the `View` from a point.

    Returns
    -------
    scale : ndarray, shape (d, d)
        ``Bend.applied(center, scale @ w)`` is a displacement from the center, of a unit Gaussian w.
    bend : Bend
    """
    dimension = center.size
    bend, gains = Bend.none(dimension), np.zeros(dimension)
    scale = _triangular(curvature)
    if dimension == 1:
        return scale, bend
    covariance = scale @ scale.T
    for k, ends in enumerate(limits):
        line = _Line.of(k, center, covariance, curvature)
        with np.errstate(all="ignore"):  # far out a shape may be infinite: then do not choose it
            shape = _shape(line, *_shapes(_Limits.of(*ends), center[k]), look)
            if shape is None:
                continue
            gains[k] = line.misfit(line.straight(FAR), shape.along(line.steps(FAR)))
        bend.low[k], bend.span[k], bend.is_open[k] = shape.limits
        bend.is_linear[k], bend.origin[k], bend.rate[k] = (
            shape.is_linear,
            shape.origin,
            1.0 / shape.slope,
        )
    if not bend.rate.any():
        return scale, bend
    # A parameter that is followed comes last and follows none: choose the one bent most.
    order = np.argsort(gains, kind="stable")
    back = np.argsort(order)
    scale = _triangular(curvature[np.ix_(order, order)])
    follow = scale / np.diag(scale) - np.eye(dimension)
    bend.follow[:] = follow[np.ix_(back, back)] * (bend.rate != 0)
    return scale[back], bend


def _triangular(curvature: Floats) -> Floats:
    """Return the upper triangular matrix that maps a unit Gaussian to one of this curvature."""
    units: Floats = np.sqrt(np.diag(curvature))
    factor = np.linalg.cholesky(curvature / np.outer(units, units))
    return np.asarray(np.linalg.inv(factor).T / units[:, None])


class _Limits(NamedTuple):
    """The limits of a parameter, as in `Bend`."""

    low: float
    span: float
    is_open: bool

    @classmethod
    def of(cls, low: float, high: float) -> Self | None:
        """Make the limits of a pair of bounds; None if there is no lower one."""
        if not math.isfinite(low):
            return None
        is_open = not math.isfinite(high)
        return cls(low, 1.0 if is_open else high - low, is_open)

    def value(self, z: Any) -> tuple[Any, Any]:
        """Return the parameter at its coordinate, and its derivative there."""
        share = np.exp(z) if self.is_open else 1.0 / (1.0 + np.exp(-z))
        value = self.low + self.span * share
        return value, self.span * share * (1.0 if self.is_open else 1.0 - share)


class _Shape(NamedTuple):
    """One way to bend by a parameter: straight in its value, or in its logarithm."""

    limits: _Limits
    is_linear: bool
    z: float
    origin: float
    slope: float

    @classmethod
    def of(cls, limits: _Limits, z: float, is_linear: bool) -> Self | None:
        """Make a shape of a parameter near its coordinate z; None if that is not defined."""
        value, slope = limits.value(z)
        origin, slope = (value, slope) if is_linear else (np.log(value), slope / value)
        if not (np.isfinite(origin) and slope > 0):
            return None
        return cls(limits, is_linear, z, origin, slope)

    def along(self, steps: Floats) -> Floats:
        """Return how far it moves with some steps of the coordinate, in units of the coordinate."""
        value, _ = self.limits.value(self.z + steps)
        straight: Floats = value if self.is_linear else np.log(value)
        return (straight - self.origin) / self.slope


class _Line(NamedTuple):
    """The ridge along one parameter if it were straight.

    Attributes
    ----------
    center : ndarray, shape (d,)
        The point from which it starts.
    others : ndarray of bool, shape (d,)
        All but that parameter.
    slope : ndarray, shape (d,)
        How far each moves while that parameter moves by 1.
    deviation : float
        The standard deviation of that parameter.
    width : ndarray, shape (d - 1, d - 1)
        The curvature across.
    """

    center: Floats
    others: NDArray[np.bool_]
    slope: Floats
    deviation: float
    width: Floats

    @classmethod
    def of(cls, k: int, center: Floats, covariance: Floats, curvature: Floats) -> Self:
        """Make the ridge along one parameter."""
        others = np.arange(center.size) != k
        slope = covariance[:, k] / covariance[k, k]
        deviation = math.sqrt(covariance[k, k])
        return cls(center, others, slope, deviation, curvature[np.ix_(others, others)])

    def steps(self, reach: float) -> Floats:
        """Return the steps of the parameter to both sides, of so many standard deviations."""
        return reach * self.deviation * np.array([-1.0, 1.0])

    def straight(self, reach: float) -> Floats:
        """Return the others' positions at these steps on the straight ridge, shape (2, d - 1)."""
        return np.outer(self.steps(reach), self.slope[self.others])

    def misfit(self, moved: Floats, along: Floats) -> float:
        """Return the squared distance of `others`, (2, d - 1), from the line at `along`, (2,)."""
        off = moved - np.outer(along, self.slope[self.others])
        return float(np.sum((off @ self.width) * off))

    def seen(self, reach: float, look: Callable[[Floats], View]) -> Floats | None:
        """Find the others' positions on the actual ridge at these steps; None if this fails."""
        moved = self.straight(reach)
        for row, step in zip(moved, self.steps(reach), strict=True):
            view = look(self.center + self.slope * step)
            across = np.asarray(view.curvature)[np.ix_(self.others, self.others)]
            uphill = np.asarray(view.gradient)[self.others]
            if not (np.isfinite(across).all() and np.isfinite(uphill).all()):
                return None
            try:
                row += np.linalg.solve(across, uphill)
            except np.linalg.LinAlgError:
                return None
        return moved


def _shapes(limits: _Limits | None, z: float) -> tuple[_Shape | None, _Shape | None]:
    """Return the possible ways to bend by a parameter: in its logarithm, and in its value."""
    if limits is None:
        return None, None
    low, span, is_open = limits
    spans = not is_open and spans_decades(low, low + span)
    logarithm = _Shape.of(limits, z, is_linear=False) if spans else None
    if logarithm is not None and logarithm.slope < LEAST_SLOPE:
        logarithm = None
    return logarithm, _Shape.of(limits, z, is_linear=True)


def _shape(
    line: _Line,
    logarithm: _Shape | None,
    value: _Shape | None,
    look: Callable[[Floats], View],
) -> _Shape | None:
    """Return the shape in which a ridge is straight; None if it is the coordinate itself.

    Over decades it is the logarithm of the parameter, unless the ridge is straight in its value.
    """
    near = line.steps(NEAR)
    chosen, along = None, near
    if logarithm is not None:
        far = logarithm.along(line.steps(FAR))
        if line.misfit(line.straight(FAR), far) > STRAIGHT:
            chosen, along = logarithm, logarithm.along(near)
    if value is None or not line.misfit(line.straight(NEAR), value.along(near)) > STRAIGHT:
        return chosen
    moved = line.seen(NEAR, look)
    if moved is None:
        return chosen
    left = line.misfit(moved, value.along(near))
    return value if left < WORTH * line.misfit(moved, along) else chosen
