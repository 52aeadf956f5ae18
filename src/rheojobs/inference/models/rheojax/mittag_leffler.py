"""The Mittag-Leffler function of negative arguments: pure JAX, smooth in argument and orders.

E_{a,b}(-x) is the value at t = 1 of the function with the transform s^(a-b) / (s^a + x), which a
fixed contour of 28 nodes inverts. The leading term of the expansion at small or large x is taken
out of the sum, so that errors of the value and of its slopes are relative:
E_{a,b}(-x) = 1/Γ(b) - x E_{a,b+a}(-x) = (1/Γ(b-a) - E_{a,b-a}(-x)) / x.

Source: Garrappa, SIAM J. Numer. Anal. 53 (2015) 1350 (the transform); Weideman, SIAM J. Numer.
Anal. 44 (2006) 2342 (the contour).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rheojobs.inference.models.rheojax.inverse_laplace import contour

__all__ = ["mittag_leffler", "reciprocal_gamma", "saturation"]

NODES = 28
"""With fewer, the quadrature is less exact; with more, rounding errors grow."""

_LARGEST = 1e140
"""Its square is finite."""

_S, _WEIGHTS = contour(NODES)
# Logarithm and angle of the nodes and of the weights: all arithmetic below is real, which JAX
# compiles and differentiates faster than complex numbers.
_LOG, _ANGLE = np.log(np.abs(_S)), np.angle(_S)
_LOG_WEIGHT, _WEIGHT_ANGLE = np.log(np.abs(_WEIGHTS)), np.angle(_WEIGHTS)


def reciprocal_gamma(z: Any) -> Any:
    """Return 1/Γ(z), with finite slopes at its zeros, for z > -2."""
    import jax.numpy as jnp
    from jax.scipy.special import gammaln

    z = jnp.asarray(z, dtype=float)
    return z * (z + 1.0) * jnp.exp(-gammaln(z + 2.0))


def mittag_leffler(x: Any, a: Any, b: Any = 1.0) -> Any:
    """Return E_{a,b}(-x).

    Parameters
    ----------
    x : array
        Zero or positive.
    a : float or array
        The first order, 0 to 1.
    b : float or array
        The second order, above a - 2; 1 by default.

    Returns
    -------
    array
        Of the arguments' common shape; the relative error is below 1e-9 for a of 0.02 to 0.999
        and x of 1e-8 to 1e8 where b is 1, a or a + 1, and absolute at a = 1, where the function
        falls off exponentially.
    """
    import jax
    import jax.numpy as jnp

    x, a, b = (jnp.asarray(value, dtype=float) for value in (x, a, b))
    x = jnp.minimum(x, _LARGEST)
    # Nodes lie on the first axis: a sum over it runs along the points, many at a time.
    column = (slice(None), *(None,) * max(x.ndim, a.ndim, b.ndim))
    log, angle = _LOG[column], _ANGLE[column]
    size = jnp.exp(a * log)
    real, imag = size * jnp.cos(a * angle), size * jnp.sin(a * angle)  # s^a

    def weights(power: Any) -> tuple[Any, Any]:
        """Return the weights times a power of the nodes."""
        size = jnp.exp(power * log + _LOG_WEIGHT[column])
        phase = power * angle + _WEIGHT_ANGLE[column]
        return size * jnp.cos(phase), size * jnp.sin(phase)

    far = x > 1.0
    near_top, near_side = weights(-b)  # of E_{a,b+a}
    far_top, far_side = weights(2.0 * a - b)  # of E_{a,b-a}
    top, side = jnp.where(far, far_top, near_top), jnp.where(far, far_side, near_side)
    total = jnp.sum((top * (real + x) + side * imag) / ((real + x) ** 2 + imag**2), axis=0)
    outside = (reciprocal_gamma(b - a) - total) / jnp.where(far, x, 1.0)
    value = jnp.where(far, outside, reciprocal_gamma(b) - x * total)
    exact = jnp.where((a == 1.0) & (b == 1.0), jnp.exp(-x), value)
    # The slopes in a and b at an exponential are those of the sum.
    return value + jax.lax.stop_gradient(exact - value)


def saturation(x: Any, a: Any) -> Any:
    """Return 1 - E_a(-x) as x E_{a,1+a}(-x), which does not cancel if x is small."""
    return x * mittag_leffler(x, a, 1.0 + a)
