"""Check a user's values and turn them into arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError

__all__ = ["components", "evenly", "numeric", "own", "parts_of"]


def numeric(values: object, label: str) -> NDArray[np.generic]:
    """Return an array of real or complex numbers; `InputError` if `values` are none."""
    if np.ma.is_masked(values):
        # np.asarray would expose the values that the user has masked.
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
    """Return an array of numbers; two real columns become one complex column."""
    array = numeric(values, label)
    if array.ndim == 2 and array.shape[1] == 2 and not np.iscomplexobj(array):
        moduli = array.astype(np.float64)
        return moduli[:, 0] + 1j * moduli[:, 1]
    return array


def own(values: NDArray[np.generic], dtype: type[np.generic]) -> NDArray[Any]:
    """Return a copy of an array, of that type; or a file's memory map itself if it is read-only."""
    source = values if isinstance(values, np.memmap) else values.base
    is_fixed = isinstance(source, np.memmap) and source.mode == "r"
    if is_fixed and values.dtype == dtype and values.flags.c_contiguous:
        return values
    return np.array(values, dtype=dtype, order="C")


def parts_of(values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the real and the imaginary part, or just the values if they are real."""
    return (values.real, values.imag) if np.iscomplexobj(values) else (values,)


def evenly(size: int, count: int) -> NDArray[np.int64]:
    """Return the indices of so many of `size` values, evenly spread, both ends included."""
    if count >= size:
        return np.arange(size)
    return np.unique(np.linspace(0, size - 1, min(size, count)).round().astype(np.int64))
