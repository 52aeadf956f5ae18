"""How much the next step of Levenberg's and Marquardt's method is damped.

It follows from how well the last one kept what it promised. Pure; knows neither what is climbed
nor what is fitted.

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
    """Return the damping of the next step, and by what it grows where that is refused.

    Parameters
    ----------
    damping, growth : scalar
        Of the last step.
    kept : scalar
        What the step has gained, over what it promised.
    accepted : array of bool
        Whether it was taken.
    """
    eased = jnp.maximum(1.0 / 3.0, 1.0 - (2.0 * kept - 1.0) ** 3)
    return (
        jnp.where(accepted, damping * eased, damping * growth),
        jnp.where(accepted, FIRST_GROWTH, 2.0 * growth),
    )
