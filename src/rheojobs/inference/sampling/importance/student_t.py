"""Student's t in several dimensions: a proposal with heavier tails than a Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["StudentT"]

DEGREES_OF_FREEDOM = 7.0
"""Few enough for posteriors with longer tails than a Gaussian, many enough to waste few points."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StudentT:
    """Student's t.

    Attributes
    ----------
    mean : ndarray, shape (d,)
        The center.
    factor : ndarray, shape (d, d)
        Lower triangular; times its transpose it is the matrix of scales.
    """

    mean: Floats
    factor: Floats

    @classmethod
    def unit(cls, dimension: int) -> Self:
        """Return the one about zero with unit scales."""
        return cls(np.zeros(dimension), np.eye(dimension))

    @classmethod
    def fitted(cls, rows: Floats) -> Self:
        """Return the one with the mean and the covariance of rows, shape (n, d).

        Raises
        ------
        numpy.linalg.LinAlgError
            If the covariance is singular.
        """
        shrink = (DEGREES_OF_FREEDOM - 2.0) / DEGREES_OF_FREEDOM
        covariance = np.atleast_2d(np.cov(rows, rowvar=False))
        return cls(rows.mean(axis=0), np.linalg.cholesky(shrink * covariance))

    def draw(self, random: np.random.Generator, count: int) -> Floats:
        """Draw rows, shape (count, d)."""
        normals = random.standard_normal((count, self.mean.size))
        widths = np.sqrt(DEGREES_OF_FREEDOM / random.chisquare(DEGREES_OF_FREEDOM, count))
        return self.mean + (normals * widths[:, None]) @ self.factor.T

    def log_density(self, rows: Floats) -> Floats:
        """Return the log density at rows, shape (n, d); minus infinity at those that are NaN."""
        size, freedom = self.mean.size, DEGREES_OF_FREEDOM
        distances = np.linalg.solve(self.factor, (rows - self.mean).T)
        scale = float(np.log(np.diag(self.factor)).sum()) + 0.5 * size * math.log(freedom * math.pi)
        scale += math.lgamma(0.5 * freedom) - math.lgamma(0.5 * (freedom + size))
        tails = 0.5 * (freedom + size) * np.log1p(np.sum(distances**2, axis=0) / freedom)
        return np.where(np.isnan(tails), -np.inf, -scale - tails)
