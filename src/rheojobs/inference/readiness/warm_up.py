"""Imports of a worker process: some before it is ready, the others while it is idle."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

from rheojobs.errors import InputError, MissingExtraError
from rheojobs.inference.programs.jax_setup import configure_jax

__all__ = ["PRELOAD", "warm_up", "warm_up_fully"]

PRELOAD = ("rheojobs.inference.readiness.warm_up:warm_up",)
"""The function that a `JobEngine` preloads, so that the first fit finds a warm worker."""

LATER = ("numpyro.distributions",)
"""Modules that a worker imports while it is ready and idle."""


def warm_up() -> Iterator[None]:
    """Import what a sampling with stored programs needs, and start JAX's back end.

    Yields
    ------
    None
        Between the imports of the other modules that fits and samplings need, which an idle
        worker makes.
    """
    try:
        configure_jax()
    except (InputError, MissingExtraError):
        return  # no such device, or no JAX: each task reports it, a dead worker would not
    import jax.numpy as jnp

    for module in ("rheojobs.inference.sampling.run", "rheojobs.inference.fits.run"):
        importlib.import_module(module)
    jnp.zeros(1).block_until_ready()
    yield
    for module in LATER:
        importlib.import_module(module)
        yield
    if importlib.util.find_spec("rheojax") is not None:
        from rheojobs.inference.models.rheojax import registry

        registry.register_all()


def warm_up_fully() -> None:
    """Do all that `warm_up` does, at once."""
    for _ in warm_up():
        pass
