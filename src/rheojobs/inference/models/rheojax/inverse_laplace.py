"""The inverse Laplace transform by quadrature: pure JAX, differentiable in the parameters.

Source: Weideman, SIAM J. Numer. Anal. 44 (2006) 2342 (Talbot's contour with optimal parameters).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["NODES", "inverse"]

NODES = 24
"""Nodes of the contour, half of which mirror the others; each node gains a factor of about 3.9."""

_SOONEST = 1e-30

_SHIFT, _WIDTH, _RISE, _BEND = 0.6122, 0.5017, 0.2645, 0.6407


def _contour() -> tuple[Any, Any]:
    """Return the nodes in the upper half of the plane, for time 1, and their weights."""
    angle = 2.0 * np.pi * (np.arange(NODES // 2) + 0.5) / NODES
    bent = _BEND * angle
    nodes = NODES * (-_SHIFT + _WIDTH * angle / np.tan(bent) + _RISE * 1j * angle)
    slopes = NODES * (_WIDTH / np.tan(bent) - _WIDTH * bent / np.sin(bent) ** 2 + _RISE * 1j)
    return nodes, np.exp(nodes) * slopes * 2.0 / (1j * NODES)


def inverse(transform: Callable[[Any], Any], t: Any) -> Any:
    """Return the function of time that has the given Laplace transform.

    Parameters
    ----------
    transform : callable
        Takes complex s / s⁻¹ of any shape, elementwise, with 0 < arg s < π; real if s is real
        and positive, with singularities only on the negative real axis.
    t : array, shape (n,)
        Times / s; zero gives the limit from above.

    Returns
    -------
    array, shape (n,)
        Exact to about 1e-10 of the function's size up to that time.
    """
    import jax.numpy as jnp

    nodes, weights = _contour()
    times = jnp.maximum(jnp.asarray(t), _SOONEST)[:, None]
    return jnp.real(jnp.sum(weights * transform(nodes / times), axis=1)) / times[:, 0]
