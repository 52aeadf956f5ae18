"""Compute the damping of the next step of the Levenberg-Marquardt method.

It follows from the ratio of the actual to the predicted gain of the last step. Pure.

References
----------
H. B. Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05 (1999).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

__all__ = ["FIRST_GROWTH", "damped_anew"]

FIRST_GROWTH = 2.0


def damped_anew(damping: Any, growth: Any, kept: Any, accepted: Any) -> tuple[Any, Any]:
    """Return the damping of the next step, and the factor by which it grows if that is refused.

    Parameters
    ----------
    damping, growth : scalar
        Of the last step.
    kept : scalar
        The actual gain of the step over the predicted one.
    accepted : array of bool
        Whether it was taken.
    """
    eased = jnp.maximum(1.0 / 3.0, 1.0 - (2.0 * kept - 1.0) ** 3)
    return (
        jnp.where(accepted, damping * eased, damping * growth),
        jnp.where(accepted, FIRST_GROWTH, 2.0 * growth),
    )
