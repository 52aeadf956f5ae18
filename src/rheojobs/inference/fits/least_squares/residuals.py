"""The residuals of a fit, the objective that they make, and their derivatives; traceable.

Data, weights, bounds and the kind of loss are arguments, so that one program serves every fit
of a model.

Source: Holland & Welsch, Commun. Stat. A6 (1977) 813 (robust losses by reweighting).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rheojobs.inference.fits.least_squares.losses import loss_weight
from rheojobs.inference.fits.options import LOSSES

__all__ = [
    "Data",
    "Predict",
    "Seen",
    "Sums",
    "linearized",
    "objective",
    "residuals_of",
    "summed",
]

type Predict = Callable[[Any, Any], tuple[Any, Any]]
"""``(x, u) -> (curve, allowed)``: the components, (c, b), and whether coordinates are valid."""

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


class Seen(NamedTuple):
    """What the model gives at some coordinates.

    Attributes
    ----------
    residuals : array, shape (c, b)
        Weighted, before any loss.
    jacobian : array, shape (d, c, b)
        Their derivatives.
    curve : array, shape (c, b)
        The prediction.
    """

    residuals: Any
    jacobian: Any
    curve: Any


class Sums(NamedTuple):
    """The sums over all data of which a step is made.

    Attributes
    ----------
    cost : float
        The objective.
    gradient : array, shape (d,)
        The Jacobian of the residuals, transposed, times them; each counts with its weight.
    hessian : array, shape (d, d)
        The Jacobian, transposed, times itself; each residual counts with its weight.
    allowed : bool
        Whether the coordinates are valid.
    """

    cost: Any
    gradient: Any
    hessian: Any
    allowed: Any


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


def linearized(predict: Predict, u: Any, data: Data) -> tuple[Seen, Any]:
    """Return what the model gives at coordinates, shape (d,), and whether these are valid."""

    def weighted(u: Any) -> tuple[Any, Any]:
        curve, allowed = predict(data.x, u)
        residuals = residuals_of(curve, data)
        return residuals, (residuals, curve, allowed)

    try:
        jacobian, (residuals, curve, allowed) = jax.jacfwd(weighted, has_aux=True)(u)
    except TypeError:  # a function whose only derivative is a vector-Jacobian product
        jacobian, (residuals, curve, allowed) = jax.jacrev(weighted, has_aux=True)(u)
    return Seen(residuals, jnp.moveaxis(jacobian, -1, 0), curve), allowed


def summed(seen: Seen, allowed: Any, data: Data) -> Sums:
    """Return the sums over the data of which a step is made."""
    cost, weights = objective(seen.residuals, data)
    columns = seen.jacobian.reshape(len(seen.jacobian), -1)
    weighted = columns * weights.reshape(-1)
    return Sums(cost, weighted @ seen.residuals.reshape(-1), weighted @ columns.T, allowed)
