"""Random numbers of a chain, each by its place: the transition, and the place within it.

They are a hash of the place, so that no state is carried along, and draws depend neither on the
length of the chunks nor on the order of the chains.

References
----------
G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014, 453-472 (SplitMix64).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

__all__ = ["bits", "normals", "uniform", "uniforms"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: the step from one number to the next."""

MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))

UNIT = 2.0**-52


def bits(key: Any, place: Any) -> Any:
    """Return 64 random bits, or as many for each of an array of places; traceable."""
    mixed = key + GOLDEN * (jnp.asarray(place).astype(jnp.uint64) + np.uint64(1))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX[1]
    return mixed ^ (mixed >> np.uint64(31))


def uniform(random_bits: Any) -> Any:
    """Return a number in (0, 1) made of the 52 highest bits."""
    return ((random_bits >> np.uint64(12)).astype(jnp.float64) + 0.5) * UNIT


def uniforms(key: Any, first: int, count: int) -> Any:
    """Return numbers in (0, 1), shape (count,), from a place on."""
    return uniform(bits(key, first + np.arange(count, dtype=np.uint64)))


def normals(key: Any, first: int, count: int) -> Any:
    """Return normal numbers, shape (count,), by Box and Muller; they take twice as many places."""
    radius, angle = uniforms(key, first, 2 * count).reshape(2, count)
    return jnp.sqrt(-2.0 * jnp.log(radius)) * jnp.cos(2.0 * np.pi * angle)
