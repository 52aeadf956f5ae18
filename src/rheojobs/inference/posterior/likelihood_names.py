"""The likelihoods by name; imports no JAX, so that names are checked before a job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rheojobs.errors import InputError, nearest

if TYPE_CHECKING:
    from rheojobs.inference.data.dataset import Dataset

__all__ = [
    "DEGREES_OF_FREEDOM",
    "LIKELIHOODS",
    "check_likelihood",
    "likelihood_of",
    "likelihood_of_weights",
    "suited_likelihood",
    "weights_of_likelihood",
]

DEGREES_OF_FREEDOM = 4.0

LIKELIHOODS: dict[str, str] = {
    "constant": "Gaussian noise of one size, for G' and for G'' each: RheoJAX's",
    "relative": "Gaussian noise that is a fraction of the prediction: for data over decades",
    "student_t": "noise of one size with outliers (Student's t, 4 degrees of freedom)",
    "relative_student_t": "noise that is a fraction of the prediction, with outliers",
    "sigma": "Gaussian noise of the standard deviations that the data bring; none is sampled",
}


def check_likelihood(name: object) -> None:
    """Raise an `InputError` that names the nearest if there is no such likelihood."""
    if name not in LIKELIHOODS:
        raise InputError(f"unknown likelihood {name!r}; {nearest(str(name), LIKELIHOODS)}")


def likelihood_of(dataset: Dataset, name: str | None) -> str:
    """Return the likelihood of that name, or the one that suits the data if there is no name.

    Raises
    ------
    InputError
        If there is no such likelihood, or the data lack the standard deviations it needs.
    """
    if name is None:
        return suited_likelihood(dataset)[0]
    check_likelihood(name)
    if name == "sigma" and dataset.sigma is None:
        raise InputError(
            "{likelihood} sigma needs a standard deviation for each point: {sigma}",
            options=("likelihood", "sigma"),
        )
    return name


def suited_likelihood(dataset: Dataset) -> tuple[str, str]:
    """Choose a likelihood as a fit chooses its weights; return it with the reason.

    A fit and a sampling of the same data thus assume the same noise. RheoJAX's constant noise
    would make the small values of data over decades irrelevant.
    """
    from rheojobs.inference.problem.weights import default_weights  # which needs NumPy

    weights, reason = default_weights(dataset)
    return likelihood_of_weights(weights), reason


def likelihood_of_weights(weights: str) -> str:
    """Return the likelihood that assumes the same noise as a fit with these weights."""
    return {"uniform": "constant", "divided": "relative"}.get(weights, weights)


def weights_of_likelihood(name: str) -> str:
    """Return the weights of a fit that assume the same noise."""
    if name == "sigma":
        return name
    return "relative" if name.startswith("relative") else "uniform"
