"""The likelihoods there are, by name; free of JAX, so that they are checked beforehand."""

from __future__ import annotations

from rheojobs.errors import InputError, nearest

__all__ = ["DEGREES_OF_FREEDOM", "LIKELIHOODS", "check_likelihood"]

DEGREES_OF_FREEDOM = 4.0

LIKELIHOODS: dict[str, str] = {
    "constant": "Gaussian noise of one size, for G' and for G'' each: RheoJAX's",
    "relative": "Gaussian noise that is a fraction of the prediction: for data over decades",
    "student_t": "noise of one size with outliers (Student's t, 4 degrees of freedom)",
    "relative_student_t": "noise that is a fraction of the prediction, with outliers",
}


def check_likelihood(name: object) -> None:
    """Raise an `InputError` that names the nearest unless there is such a likelihood."""
    if name not in LIKELIHOODS:
        raise InputError(f"unknown likelihood {name!r}; {nearest(str(name), LIKELIHOODS)}")
