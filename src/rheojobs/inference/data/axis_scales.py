"""Which axes of a plot of data are logarithmic: one rule for the window and for figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["are_logarithmic"]

_USUALLY_LOGARITHMIC = ("oscillation", "relaxation", "creep", "flow_curve")


def are_logarithmic(
    test_mode: str | None, x: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[bool, bool]:
    """Return whether x and y are on logarithmic axes: if they are positive and span decades.

    Parameters
    ----------
    test_mode : str or None
        Axes of LAOS are linear; y is logarithmic with x if the test measures a modulus, a
        compliance or a flow curve.
    x, values : ndarray
        What is measured: all components of y together.
    """
    if test_mode == "laos" or not (x.size and values.size):
        return False, False
    x_is_log = _spans(x)
    is_usual = test_mode in _USUALLY_LOGARITHMIC and x_is_log
    return x_is_log, bool(values.min() > 0) and (_spans(values) or is_usual)


def _spans(values: NDArray[np.float64]) -> bool:
    return bool(values.min() > 0 and values.max() / values.min() > 10)
