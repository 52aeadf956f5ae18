"""What a user hands over, as numbers: arrays and constants. Knows nothing of tests or models."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError

__all__ = ["components", "constants", "numeric"]


def numeric(values: object, label: str) -> NDArray[np.generic]:
    """Give an array of real or complex numbers; `InputError` where these are none."""
    if np.ma.is_masked(values):
        # np.asarray would uncover what the user has masked.
        raise InputError(f"{label} has masked values: leave these rows out")
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            has_complex = any(isinstance(value, complex) for value in array.flat)
            array = array.astype(np.complex128 if has_complex else np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{label} is not numeric: {str(error).splitlines()[0]}") from error
    if array.dtype.kind not in "iufc":
        raise InputError(f"{label} is not numeric: its values are of type {array.dtype}")
    return array


def components(values: object, label: str) -> NDArray[np.generic]:
    """Give numbers; two real columns as one of complex numbers."""
    array = numeric(values, label)
    if array.ndim == 2 and array.shape[1] == 2 and not np.iscomplexobj(array):
        moduli = array.astype(np.float64)
        return moduli[:, 0] + 1j * moduli[:, 1]
    return array


def constants(protocol: object) -> dict[str, float]:
    """Give the constants of a test as floats; `InputError` where they are none."""
    if protocol is None:
        return {}
    if not isinstance(protocol, Mapping):
        raise InputError(f"protocol must map names to numbers, not be a {type(protocol).__name__}")
    found: dict[str, float] = {}
    for key, value in protocol.items():
        try:
            found[str(key)] = float(value)
        except (TypeError, ValueError) as error:
            raise InputError(f"protocol constant {key!r} is not a number: {value!r}") from error
        if not math.isfinite(found[str(key)]):
            raise InputError(f"protocol constant {key!r} must be finite, not {value!r}")
    return found
