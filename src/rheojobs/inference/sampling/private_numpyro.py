"""Access NumPyro's tree of leapfrog steps, which doubles until it makes a U-turn.

This uses `IntegratorState`, `build_tree`, `euclidean_kinetic_energy` and `velocity_verlet` of
`numpyro.infer.hmc_util`, which is not part of the documented interface. No other file of the
sampler imports from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["doubled_tree"]


def doubled_tree(
    potential: Callable[[Any], Any],
    forward: bool,
    start: tuple[Any, Any, Any, Any],
    inverse_mass: Any,
    step_size: Any,
    key: Any,
    depths: tuple[Any, int],
) -> Any:
    """Return NumPyro's tree of a transition; traceable.

    Parameters
    ----------
    potential : callable
        Minus the log density of a position, shape (d,).
    forward : bool
        Whether only forward-mode differentiation works.
    start : tuple
        Position and momentum, shape (d,) each, potential, and its gradient, shape (d,).
    inverse_mass : array, shape (d, d)
        The inverse mass matrix.
    step_size : array
        Of the leapfrog steps.
    key : array
        Of the random numbers.
    depths : tuple
        How often the tree may double, and how often at most for any value of the first.
    """
    # Imported only while tracing: a compiled program needs no NumPyro.
    from numpyro.infer.hmc_util import (
        IntegratorState,
        build_tree,
        euclidean_kinetic_energy,
        velocity_verlet,
    )

    _, verlet = velocity_verlet(potential, euclidean_kinetic_energy, forward)
    return build_tree(
        verlet,
        euclidean_kinetic_energy,
        IntegratorState(*start),
        inverse_mass,
        step_size,
        key,
        max_tree_depth=depths,
    )
