"""The steady flow of the Hébraud-Lequeux model in closed form, except for one root.

In units of the model's tau and sigma_c, the density P of local stresses s is convected at the rate
v, diffuses with D, yields where |s| > 1 and is reset to s = 0:
D P'' - v P' - [|s| > 1] P + (D / alpha) delta(s) = 0. P consists of exponentials, and D follows
from its integral being 1.

Source: Hébraud & Lequeux, Phys. Rev. Lett. 81 (1998) 2934 (the model; the solution is ours).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["steady_stress"]

# D lies between zero and alpha, at which all of P would be yielding.
_LEAST = 1e-30
_HALVINGS = 60

_NEAR, _TERMS = 0.1, 7
_SIGNED = [(-1) ** n / math.factorial(n + 2) for n in range(_TERMS + 1)]
_SERIES = tuple(
    np.array(terms[::-1])
    for terms in (
        [(n + 1) * _SIGNED[n] for n in range(_TERMS)],
        _SIGNED[:_TERMS],
        [((n + 2) * (n + 1) / 2 - (n + 1)) * _SIGNED[n] for n in range(1, _TERMS + 1)],
        _SIGNED[1:],
    )
)
"""Coefficients of the integrals below, in descending powers of k."""


def _moments(log_d: Any, v: Any, alpha: Any) -> tuple[Any, Any]:
    """Return the integrals of P and of s P.

    P is a exp(up (s + 1)) below -1, b exp(-down (s - 1)) above 1, and in between a constant and a
    multiple of exp(k s) on either side of 0; P is smooth at -1 and 1, continuous at 0, and its
    slope falls by 1 / alpha there.
    """
    import jax.numpy as jnp

    d = jnp.exp(log_d)
    k, root = v / d, jnp.sqrt(v**2 + 4.0 * d)
    up, down = (v + root) / (2.0 * d), 2.0 / (v + root)
    small, mean = jnp.exp(-k), -jnp.expm1(-k) / k
    ratio = (1.0 + down * mean) / (small + up * mean)
    b = 1.0 / (alpha * (up * ratio + down * small))
    left, right = up * ratio * b, -down * b  # k times the multiple of exp(k s), exp(k (s - 1))
    a = ratio * b * small
    rise, fall, risen, fallen = _integrals(k)
    total = a / up + a + left * rise + b - right * fall + b / down
    outside = -a * (1.0 / up + 1.0 / up**2) + b * (1.0 / down + 1.0 / down**2)
    return total, outside + (b - a) / 2.0 + left * risen + right * fallen


def _integrals(k: Any) -> tuple[Any, Any, Any, Any]:
    """Return the contributions to both moments of exponentials within a unit of length.

    The closed form is a difference of nearly equal numbers if k is small: then use the series.
    """
    import jax.numpy as jnp

    safe = jnp.where(k < _NEAR, 1.0, k)
    small = jnp.exp(-safe)
    rise, fall = (1.0 - small * (1.0 + safe)) / safe**2, (safe - 1.0 + small) / safe**2
    direct = rise, fall, (small / 2.0 - rise) / safe, (fall - 0.5) / safe
    near = jnp.minimum(k, _NEAR)
    return tuple(
        jnp.where(k < _NEAR, jnp.polyval(jnp.asarray(terms), near), value)
        for terms, value in zip(_SERIES, direct, strict=True)
    )  # type: ignore[return-value]


def steady_stress(rate: Any, alpha: Any) -> Any:
    """Return the mean stress in units of sigma_c; smooth in both arguments.

    Parameters
    ----------
    rate : array
        Shear rate in units of 1 / tau, positive.
    alpha : float
        The model's coupling.

    Returns
    -------
    array
        As long as the rates.
    """
    import jax
    import jax.numpy as jnp

    def halve(_: Any, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        middle = (ends[0] + ends[1]) / 2.0
        is_low = _moments(middle, rate, alpha)[0] < 1.0
        return jnp.where(is_low, middle, ends[0]), jnp.where(is_low, ends[1], middle)

    ends = jnp.full_like(rate, jnp.log(_LEAST)), jnp.full_like(rate, 1.0) * jnp.log(alpha)
    ends = jax.lax.fori_loop(0, _HALVINGS, halve, ends)
    log_d = jax.lax.stop_gradient((ends[0] + ends[1]) / 2.0)
    # Only this last step is differentiated: at the root, its derivatives are the root's.
    for _ in range(2):
        integral, slope = jax.jvp(
            lambda y: jnp.log(_moments(y, rate, alpha)[0]), (log_d,), (jnp.ones_like(log_d),)
        )
        log_d = log_d - integral / slope
    return _moments(log_d, rate, alpha)[1]
