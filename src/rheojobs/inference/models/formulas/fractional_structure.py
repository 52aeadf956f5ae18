"""A fractional rate equation as ordinary ones, exact to about 1e-6.

D^a lambda = F (Caputo) is lambda = lambda_0 + I^a F, and the kernel of the integral of order a is a
sum of exponentials: t^(a-1)/Gamma(a) = sin(pi a)/pi ∫ s^(-a) exp(-s t) ds over s from 0 on, by the
trapezoidal rule in ln s. So lambda = lambda_0 + sum w_j z_j with dz_j/dt = F - s_j z_j. The nodes
beyond both ends, whose sums are geometric, are two nodes with the same first two moments.

Source: Diethelm, Numer. Algorithms 47 (2008) 361 (diffusive representation); Trefethen & Weideman,
SIAM Rev. 56 (2014) 385 (the rule's error, exp(-pi²/step)).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["NODES", "exponentials"]

_STEP = 0.7
_SLOWEST, _FASTEST = np.log(1e-6), np.log(1e8)  # 1/s
_POINTS = np.arange(_SLOWEST, _FASTEST, _STEP)
NODES = len(_POINTS) + 2
"""The number of exponentials."""


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
