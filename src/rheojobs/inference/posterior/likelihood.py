"""The likelihood: constant or relative noise, Gaussian or with outliers.

The noise scales are sampled too: one, or one each for G' and G''; none if the data have
standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import parts_of
from rheojobs.inference.posterior.likelihood_names import DEGREES_OF_FREEDOM, check_likelihood
from rheojobs.inference.posterior.priors import NamedPrior
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.predictions import Noise

__all__ = ["Likelihood"]

RELATIVE_NOISE_PRIOR_MEAN = 0.1
SMALLEST_PREDICTION = 1e-3
"""Relative noise shrinks no further below this fraction of the smallest datum."""


@dataclass(frozen=True)
class Likelihood:
    """A kind of noise.

    Attributes
    ----------
    name : str
        A key of `LIKELIHOODS`.
    relative : bool
        The noise is a fraction of the prediction, not a constant.
    heavy_tailed : bool
        Student's t with four degrees of freedom in place of a Gaussian.
    """

    name: str
    relative: bool
    heavy_tailed: bool

    @property
    def is_known(self) -> bool:
        """Whether the data have standard deviations, so that no noise scale is sampled."""
        return self.name == "sigma"

    @classmethod
    def named(cls, name: str) -> Likelihood:
        """Return the likelihood of that name; `InputError` names the nearest if there is none."""
        check_likelihood(name)
        return cls(name, name.startswith("relative"), name.endswith("student_t"))

    def noise_names(self, problem: Problem) -> tuple[str, ...]:
        """Return the names of the sampled noise scales."""
        if self.is_known:
            return ()
        return ("sigma_real", "sigma_imag") if problem.is_complex else ("sigma",)

    def scale_priors(self, problem: Problem) -> list[NamedPrior]:
        """Return the priors of the noise scales; for constant noise those of RheoJAX."""
        if self.is_known:
            return []
        if self.relative:
            count = 2 if problem.is_complex else 1
            return [_exponential(RELATIVE_NOISE_PRIOR_MEAN)] * count
        scales = [
            max(float(np.std(part)), 0.01 * float(np.mean(np.abs(part))), 1e-3)
            for part in parts_of(problem.dataset.y)
        ]
        return [_exponential(scale) for scale in scales]

    def told(self, problem: Problem) -> NDArray[np.float64]:
        """Return the part of the noise model that follows from the data.

        The standard deviations, shape (c, b), if they are known; else the size below which the
        noise of a prediction shrinks no further, shape (c, 1).
        """
        if self.is_known:
            assert problem.observations.sigma is not None
            return problem.observations.sigma
        return SMALLEST_PREDICTION * problem.observations.smallest

    def spread(self, prediction: Any, noise: Any, told: Any) -> Any:
        """Return the noise of each observation, shape (c, b).

        Parameters
        ----------
        prediction : array, shape (c, b)
            Of the model.
        noise : array, shape (c,)
            The noise scales; (0,) if none is sampled.
        told : array
            As the method `told` returns it.
        """
        if self.is_known:
            return told * jnp.ones_like(prediction)
        if self.relative:
            return noise[:, None] * jnp.maximum(jnp.abs(prediction), told)
        return noise[:, None] * jnp.ones_like(prediction)

    def log_prob(self, y: Any, prediction: Any, spread: Any) -> Any:
        """Return the log density of each observation, shape (c, b)."""
        import numpyro.distributions as dist

        if self.heavy_tailed:
            return dist.StudentT(DEGREES_OF_FREEDOM, prediction, spread).log_prob(y)
        return dist.Normal(prediction, spread).log_prob(y)

    def noise(self, problem: Problem, scales: NDArray[np.float64]) -> Noise:
        """Return the noise at some draws of its scales, shape (chains, k, c); c is 0 if known."""
        told, n = self.told(problem), problem.observations.n
        known = None if self.is_known else scales
        tails = DEGREES_OF_FREEDOM if self.heavy_tailed else None
        return Noise(self.relative, known, told[:, :n], tails)

    def _residuals(
        self, problem: Problem, y: NDArray[np.float64], predicted: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the residuals in the unit of the noise scales, shape (c, n)."""
        if self.relative:
            return (y - predicted) / np.maximum(np.abs(predicted), self.told(problem))
        return y - predicted

    def residual_scale(
        self, problem: Problem, y: NDArray[np.float64], predicted: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return the root mean square residuals, as noise scales; parameters as in `start`."""
        if self.is_known:
            return {}
        scale = np.sqrt(np.mean(self._residuals(problem, y, predicted) ** 2, axis=1))
        return dict(zip(self.noise_names(problem), scale.tolist(), strict=True))

    def start(
        self, problem: Problem, y: NDArray[np.float64], predicted: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return noise scales that suit the residuals at a start.

        Parameters
        ----------
        problem : Problem
            The model and the data.
        y, predicted : ndarray, shape (c, n)
            Data and prediction, without padding.
        """
        if self.is_known:
            return {}
        scaled = self._residuals(problem, y, predicted)
        # The typical residual, not the largest: a start may be far off at single points.
        scale = np.sqrt(np.mean(scaled**2, axis=1))
        if self.relative:
            scale = np.minimum(scale, 10.0 * np.median(np.abs(scaled), axis=1))
        least = 1e-6 * (1.0 if self.relative else np.abs(y).max(axis=1)) + 1e-300
        scale = np.maximum(scale, least)
        return dict(zip(self.noise_names(problem), scale.tolist(), strict=True))


def _exponential(mean: float) -> NamedPrior:
    return NamedPrior("exponential", {"rate": 1.0 / mean})
