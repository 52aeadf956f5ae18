"""What a worker process imports before it is ready, and what it imports while it is idle."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

from rheojobs.inference.programs.jax_setup import configure_jax

__all__ = ["PRELOAD", "warm_up", "warm_up_fully"]

PRELOAD = ("rheojobs.inference.readiness.warm_up:warm_up",)
"""What a `JobEngine` preloads, so that the first fit or sampling finds its worker warm."""

LATER = ("numpyro.infer",)
"""What is imported once a worker is ready and has nothing to do."""


def warm_up() -> Iterator[None]:
    """Import what a sampling needs whose programs are on disk, and start JAX's back end.

    Yields
    ------
    None
        Between imports of what else fits and samplings need, which a worker without work does.
    """
    configure_jax()
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
