"""Read the constants of a test from its strain, if that is given as an array over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError

__all__ = ["constants_of_strain"]

TOLERANCE = 1e-3
"""Largest deviation of the strain from the assumed history, as a fraction of its maximum."""


def constants_of_strain(
    test_mode: str, t: NDArray[np.float64], strain: NDArray[np.float64]
) -> dict[str, float]:
    """Return the constants of a test whose strain history is known.

    Parameters
    ----------
    test_mode : str
        A member of `TEST_MODES`.
    t : ndarray, shape (n,)
        Time in seconds.
    strain : ndarray, shape (n,)
        The strain at these times.

    Returns
    -------
    dict of str to float
        ``gamma_dot`` in 1/s for a start-up, ``gamma_0`` and ``omega`` in rad/s for LAOS; empty for
        other tests.

    Raises
    ------
    InputError
        If the strain is not ``gamma_dot * t``, or not ``gamma_0 * sin(omega * t)``.
    """
    if test_mode not in ("startup", "laos"):
        return {}
    if strain.shape != t.shape:
        raise InputError(f"strain has {strain.size} values, x has {t.size}")
    if not np.isfinite(strain).all() or not strain.any():
        raise InputError("strain must be finite, and not zero everywhere")
    if test_mode == "startup":
        rate = float(t @ strain / (t @ t))
        _check(strain, rate * t, "a start-up needs a constant shear rate: strain = gamma_dot * t")
        return {"gamma_dot": rate}
    omega = _frequency(t, strain)
    wave = np.sin(omega * t)
    amplitude = float(wave @ strain / (wave @ wave))
    _check(strain, amplitude * wave, "LAOS needs strain = gamma_0 * sin(omega * t)")
    return {"gamma_0": amplitude, "omega": omega}


def _frequency(t: NDArray[np.float64], strain: NDArray[np.float64]) -> float:
    """Return the angular frequency of a sine, sampled at equal steps.

    Each value is then the mean of its neighbours, divided by the cosine of the step's phase.
    """
    steps = np.diff(t)
    if t.size < 5 or not np.allclose(steps, steps[0], rtol=1e-6):
        raise InputError(
            "the frequency of a strain at unequal times is not estimated: give gamma_0 and omega"
        )
    inner = strain[1:-1]
    cosine = float(inner @ (strain[2:] + strain[:-2]) / (2 * inner @ inner))
    if not -1 < cosine < 1:
        raise InputError("LAOS needs strain = gamma_0 * sin(omega * t): the strain is no sine")
    return float(np.arccos(cosine) / steps[0])


def _check(strain: NDArray[np.float64], expected: NDArray[np.float64], words: str) -> None:
    off = float(np.abs(strain - expected).max() / np.abs(strain).max())
    if off > TOLERANCE:
        raise InputError(f"{words}; the strain deviates from that by {100 * off:.2g} %")
