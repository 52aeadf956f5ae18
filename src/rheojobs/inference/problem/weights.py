"""Choose and compute the weights of a fit's residuals. Imports no JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset

if TYPE_CHECKING:
    from rheojobs.inference.problem.problem import Problem

__all__ = ["Weights", "check_weights", "default_weights", "sigma_of", "weights_of"]

RELATIVE_SPAN = 100.0


@dataclass(frozen=True, eq=False)
class Weights:
    """How residuals are weighted.

    Attributes
    ----------
    name : str
        ``"uniform"``, ``"relative"``, ``"divided"`` or ``"sigma"``.
    sigma : ndarray, shape (c, b)
        The divisors of the residuals.
    logarithmic : bool
        Whether residuals are ln(curve / data).
    reason : str
        Why these weights, if the user did not choose.
    """

    name: str
    sigma: NDArray[np.float64]
    logarithmic: bool = False
    reason: str = ""

    @property
    def is_absolute(self) -> bool:
        """Whether the size of the noise is known, not estimated from the residuals."""
        return self.name == "sigma"


def check_weights(name: str | None, dataset: Dataset) -> None:
    """Raise an `InputError` if the data lack the standard deviations that weights need."""
    if name == "sigma" and dataset.sigma is None:
        raise InputError(
            "{weights} sigma needs a standard deviation for each point: {sigma}",
            options=("weights", "sigma"),
        )


def default_weights(dataset: Dataset) -> tuple[str, str]:
    """Choose the weights: by σ, relative over decades, or uniform; return them with the reason."""
    y = dataset.y
    if dataset.sigma is not None:
        return "sigma", "the data come with their standard deviations"
    if np.iscomplexobj(y):
        if np.all(y.real != 0) and np.all(y.imag != 0):
            return "relative", "moduli differ by decades"
        return "uniform", "relative deviations of moduli that are zero are undefined"
    if below := int(np.sum(y <= 0)):
        positive = y[y > 0]
        spans = positive.size > 0 and positive.max() / positive.min() > RELATIVE_SPAN
        return "uniform", (
            f"{below} of {y.size} values {'is' if below == 1 else 'are'} zero or negative, where "
            "relative deviations are undefined"
            + ("; the others span more than two decades" if spans else "")
        )
    if y.max() / y.min() > RELATIVE_SPAN:
        return "relative", "the data span more than two decades"
    return "uniform", "the data span less than two decades"


def sigma_of(problem: Problem, weights: str) -> NDArray[np.float64]:
    """Return the divisor of each residual, shape (c, b)."""
    y = problem.coarse_observations.y
    if weights == "uniform":
        return np.broadcast_to(1.0, y.shape)
    if weights == "sigma":
        check_weights(weights, problem.dataset)
        assert problem.coarse_observations.sigma is not None
        return problem.coarse_observations.sigma
    # A value of zero has no relative error: it is weighted as the smallest of its kind.
    return np.maximum(np.abs(y), problem.coarse_observations.smallest)


def weights_of(problem: Problem, wanted: str | None = None) -> Weights:
    """Return the weights of that name, or those that suit the data.

    Relative residuals are ln(curve / data) if all data are positive. If they are divided by
    the data, as is usual, a curve far below the data deviates by at most 100 %, and one far
    above by any factor: the sum of squares prefers curves below. With the logarithm, a
    factor too high or too low counts the same; small deviations agree in both forms.
    """
    name, reason = (wanted, "") if wanted is not None else default_weights(problem.dataset)
    y = problem.coarse_observations.y
    if name == "relative" and y.min() > 0:
        return Weights(name, np.broadcast_to(1.0, y.shape), True, reason)
    return Weights(name, sigma_of(problem, name), False, reason)
