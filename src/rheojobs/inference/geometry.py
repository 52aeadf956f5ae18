"""Where a posterior is highest and how wide it is there: the coordinates that chains move in.

Knows the compiled programs of a posterior, not how its chains are run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rheojobs.inference.posterior import Posterior

__all__ = ["Geometry", "Neighbourhood", "climb"]

PRIOR_CURVATURE = 0.1
NARROW_PRIOR = 10.0
"""A prior counts as it is in the whitening if it is so much narrower than an unconstrained unit."""

MAX_STEPS = 250
NEAR_ENOUGH = 0.05
"""How far below the maximum a climb may end, in units of the log density.

Draws lie half a unit below it for each parameter, so that more would be lost on them.
"""

FIRST_DAMPING = 0.1
LARGEST_DAMPING = 1e9

LARGEST_CONDITION = 1e12
"""Of a curvature that can be inverted; beyond it the coordinates are scaled one by one."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """An affine map from the sampler's coordinates w to the unconstrained ones: center + scale w.

    With the posterior's covariance in `scale` it is close to a unit Gaussian in w.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a compiled program takes."""
        return self.center, self.scale


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """A log density near a point: its value, its slope, and about how it bends.

    Attributes
    ----------
    center : ndarray, shape (d,)
        The point, in unconstrained coordinates.
    density : float
        The log density there.
    gradient : ndarray, shape (d,)
        Of the log density.
    curvature : ndarray, shape (d, d)
        Minus its second derivative, by Gauss and Newton: positive definite everywhere.
    """

    center: NDArray[np.float64]
    density: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]

    @classmethod
    def of(cls, posterior: Posterior, center: NDArray[np.float64]) -> Neighbourhood:
        """Look around a point."""
        jacobian, spread, noise, noise_slope, prior, gradient, density = (
            np.asarray(part) for part in posterior.kernels.curvature(center, *posterior.data)
        )
        mask = posterior.problem.observations.mask
        weighted = (jacobian * (mask / spread)[:, :, None]).reshape(-1, center.size)
        weighted = np.where(np.isfinite(weighted), weighted, 0.0)
        curvature = weighted.T @ weighted
        curvature += np.diag(np.where(prior > NARROW_PRIOR, prior, PRIOR_CURVATURE))
        for row, slope in enumerate(noise_slope):
            site = center.size - noise.size + row
            curvature[site, site] += (
                2 * posterior.problem.observations.n * (slope / noise[row]) ** 2
            )
        return cls(center, float(density), gradient, curvature)

    @cached_property
    def is_regular(self) -> bool:
        """Whether one can climb from here, and tell what would be round."""
        if not (np.isfinite(self.density) and np.isfinite(self.gradient).all()):
            return False
        return bool(np.linalg.cond(self._scaled) < LARGEST_CONDITION)

    @cached_property
    def _units(self) -> NDArray[np.float64]:
        """What the curvature is measured in: one over the width of each coordinate by itself."""
        units: NDArray[np.float64] = np.sqrt(np.diag(self.curvature))
        return units

    @cached_property
    def _scaled(self) -> NDArray[np.float64]:
        """The curvature in these units."""
        scaled: NDArray[np.float64] = self.curvature / np.outer(self._units, self._units)
        return scaled

    @cached_property
    def missing(self) -> float:
        """How far the maximum lies above this point, were the density Gaussian."""
        return 0.5 * float(self.gradient @ self.step(0.0))

    def step(self, damping: float) -> NDArray[np.float64]:
        """Give a step uphill, the shorter the more it is damped."""
        units = self._units
        damped = self._scaled + damping * np.eye(units.size)
        return np.linalg.solve(damped, self.gradient / units) / units

    def expected_gain(self, step: NDArray[np.float64], damping: float) -> float:
        """Say how much a damped step uphill should gain, were the density Gaussian."""
        scaled = step * self._units
        return 0.5 * float(scaled @ (damping * scaled + self.gradient / self._units))

    @property
    def geometry(self) -> Geometry:
        """Coordinates in which the posterior is round, if this is where it is highest."""
        units = self._units
        if not self.is_regular:
            return Geometry(self.center, np.diag(1 / units))
        factor = np.linalg.cholesky(self._scaled)
        return Geometry(self.center, np.linalg.inv(factor).T / units[:, None])


def climb(
    posterior: Posterior, start: NDArray[np.float64], check: Callable[[], None]
) -> Neighbourhood:
    """Go uphill to a maximum of the log density, by Levenberg's and Marquardt's method.

    How much a step is damped follows from how well the one before kept what it promised.

    A fit weights its residuals its own way, so that it may end many standard deviations from
    where the posterior has its mass; and who gives no start has but an estimate.

    Parameters
    ----------
    posterior : Posterior
        What is climbed.
    start : ndarray, shape (d,)
        Unconstrained coordinates.
    check : callable
        Called before each step; may raise.

    References
    ----------
    H. B. Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05 (1999).
    """
    here = Neighbourhood.of(posterior, start)
    damping, growth = FIRST_DAMPING, 2.0
    for _ in range(MAX_STEPS):
        check()
        if not here.is_regular or here.missing < NEAR_ENOUGH or damping > LARGEST_DAMPING:
            break
        step = here.step(damping)
        there = Neighbourhood.of(posterior, here.center + step)
        gain = there.density - here.density
        if gain > 0 and there.is_regular:
            agreement = gain / here.expected_gain(step, damping)
            damping *= max(1 / 3, 1 - (2 * agreement - 1) ** 3)
            here, growth = there, 2.0
        else:
            damping, growth = damping * growth, 2 * growth
    return here
