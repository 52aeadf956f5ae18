"""A model's predictions at the draws, and the likelihood and new observations they imply.

A worker returns the predictions only; likelihood and observations are computed on demand, which
halves what is transferred and stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Noise", "Predictions"]


@dataclass(frozen=True, eq=False)
class Noise:
    """The noise of observations around predictions, given the draws.

    Attributes
    ----------
    relative : bool
        The noise is a fraction of the prediction, not a constant.
    scales : ndarray, shape (chains, k, c), or None
        The noise scales at the draws; None if the noise is known.
    told : ndarray, shape (c, n) or (c, 1)
        The standard deviations if they are known; else the size below which a prediction's
        relative noise shrinks no further.
    degrees_of_freedom : float or None
        Of Student's t; None for a Gaussian.
    """

    relative: bool
    scales: NDArray[np.float64] | None
    told: NDArray[np.float64]
    degrees_of_freedom: float | None = None

    def spread(self, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scale of each observation, of a shape that broadcasts to (chains, k, c, n)."""
        if self.scales is None:
            return self.told
        scales = self.scales[..., None]
        return scales * np.maximum(np.abs(predicted), self.told) if self.relative else scales

    def log_prob(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log density of residuals of unit scale."""
        dof = self.degrees_of_freedom
        if dof is not None:
            top = math.lgamma((dof + 1) / 2) - math.lgamma(dof / 2) - 0.5 * math.log(dof * math.pi)
            tails: NDArray[np.float64] = top - 0.5 * (dof + 1) * np.log1p(scaled**2 / dof)
            return tails
        return -0.5 * scaled**2 - 0.5 * math.log(2.0 * math.pi)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw noise of unit scale."""
        if self.degrees_of_freedom is not None:
            return generator.standard_t(self.degrees_of_freedom, shape)
        return generator.standard_normal(shape)


@dataclass(frozen=True, eq=False)
class Predictions:
    """The model's predictions at some of the draws.

    Attributes
    ----------
    draws : ndarray of int, shape (k,)
        Indices of the draws within each chain.
    predicted : ndarray, shape (chains, k, c, n)
        The model's curve at each; c is 2 for G' and G", else 1.
    observed : ndarray, shape (c, n)
        The data, in the quantity that the model predicts.
    noise : Noise
        How observations scatter around it.
    seed : int
        Of the noise in `predictive`.
    """

    draws: NDArray[np.int64]
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    noise: Noise
    seed: int

    def thinned(self, rows: NDArray[np.int64], points: NDArray[np.int64]) -> Predictions:
        """Return the predictions of some rows (of k) and some points (of n)."""
        noise, told = self.noise, self.noise.told
        scales = None if noise.scales is None else noise.scales[:, rows]
        if told.shape[1] == self.observed.shape[1]:
            told = told[:, points]
        return Predictions(
            self.draws[rows],
            self.predicted[:, rows][..., points],
            self.observed[:, points],
            replace(noise, scales=scales, told=told),
            self.seed,
        )

    def log_likelihood(self) -> NDArray[np.float64]:
        """Compute the log likelihood of each observation at each draw, (chains, k, c, n)."""
        spread = self.noise.spread(self.predicted)
        density: Any = self.noise.log_prob((self.observed - self.predicted) / spread)
        return np.asarray(density - np.log(spread))

    def predictive(self) -> NDArray[np.float64]:
        """Draw new observations from the model, (chains, k, c, n)."""
        made = self.noise.draw(np.random.default_rng(self.seed), self.predicted.shape)
        made *= self.noise.spread(self.predicted)
        made += self.predicted
        return made
