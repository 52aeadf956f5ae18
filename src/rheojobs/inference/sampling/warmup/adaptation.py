"""Adapt a chain during its warm-up: the step size, and the covariance of its positions.

All of it is traceable.

References
----------
Y. Nesterov, Math. Program. 120 (2009) 221-259 (dual averaging), with the constants of
M. D. Hoffman, A. Gelman, J. Mach. Learn. Res. 15 (2014) 1593-1623;
B. P. Welford, Technometrics 4 (1962) 419-420 (covariance in one pass).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

__all__ = ["Moments", "StepSize"]

STABILIZATION = 10
"""t0: reduces the weight of the first steps."""

FORGETTING = 0.75
"""kappa: how fast the average forgets the first steps."""

SHRINKAGE = 0.05
"""gamma: how strongly the step size is drawn to its initial value."""


class StepSize(NamedTuple):
    """The adaptation of the logarithm of a step size to the target acceptance.

    Attributes
    ----------
    log : scalar
        The value for the next step.
    averaged : scalar
        The final value.
    error : scalar
        Average of target minus actual acceptance.
    count : scalar, int
        How many steps were taken.
    center : scalar
        The initial value.
    """

    log: Any
    averaged: Any
    error: Any
    count: Any
    center: Any

    @classmethod
    def around(cls, center: Any) -> StepSize:
        """Return the initial state for a logarithm of the step size."""
        zero = jnp.zeros(())
        return cls(zero, zero, zero, jnp.asarray(0, dtype=jnp.int64), center)

    def after(self, missing: Any) -> StepSize:
        """Update with one more step, given by how much its acceptance fell short."""
        count = self.count + 1
        share = 1 / (count + STABILIZATION)
        error = (1 - share) * self.error + share * missing
        log = self.center - jnp.sqrt(count) / SHRINKAGE * error
        weight = count ** (-FORGETTING)
        averaged = (1 - weight) * self.averaged + weight * log
        return StepSize(log, averaged, error, count, self.center)


class Moments(NamedTuple):
    """Mean and scatter of the positions seen so far, (d,) and (d, d)."""

    mean: Any
    scatter: Any
    count: Any

    @classmethod
    def none(cls, dimension: int) -> Moments:
        """Return the state without any positions."""
        zeros = jnp.zeros((dimension, dimension))
        return cls(jnp.zeros(dimension), zeros, jnp.asarray(0, dtype=jnp.int64))

    def after(self, position: Any) -> Moments:
        """Update with one more position."""
        count = self.count + 1
        before = position - self.mean
        mean = self.mean + before / count
        scatter = self.scatter + jnp.outer(position - mean, before)
        return Moments(mean, scatter, count)
