"""RheoJAX's elasto-plastic lattices on a grid of times of their own, from zero on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["STEPS", "relaxation", "startup"]

STEPS = 256
"""Steps over the longest time."""


def _on_grid(instance: Any, x: Any, params: Any, test_mode: str, **constants: Any) -> Any:
    import jax.numpy as jnp

    x = jnp.asarray(x, dtype=float)
    times = jnp.max(x) * jnp.arange(STEPS + 1) / STEPS
    stress = instance.model_function(times, params, test_mode, **constants)
    return jnp.interp(x, times, stress)


def startup(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the stress of `LatticeEPM` and `TensorialEPM`."""
    return _on_grid(instance, x, params, "startup", gamma_dot=constants["gamma_dot"])


def relaxation(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return what `LatticeEPM` and `TensorialEPM` give for a step of strain."""
    return _on_grid(instance, x, params, "relaxation", gamma=constants["gamma_0"])
