"""Decide by the complex viscosity of a table whether a frequency counts cycles or radians."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.reading.columns.column_choice import Column, first_of
from rheojobs.inference.data.units import no_unit, si_factor

__all__ = ["radians_per_second"]

_NEAR = 0.02  # relative deviation of rounded values


def radians_per_second(
    column: Column,
    columns: list[Column],
    x: NDArray[np.float64],
    modulus: NDArray[np.complex128],
) -> tuple[NDArray[np.float64], str]:
    """Return the angular frequencies of a frequency without a unit, and a note.

    |G*| is the complex viscosity times the angular frequency: where that shows that the
    frequencies are in Hz or in rad/s, they are. Otherwise `x` is returned as it is, without a
    note.

    Parameters
    ----------
    column : Column
        The frequency.
    columns : list of Column
        All of the table.
    x : ndarray, shape (n,)
        Its values as taken so far.
    modulus : ndarray of complex128, shape (n,)
        G' + iG'' / Pa.
    """
    viscosity = first_of(columns, "complex viscosity")
    if column.quantity != "frequency" or not no_unit(column.unit) or viscosity is None:
        return x, ""
    factor = si_factor(viscosity.unit, "complex viscosity")
    if factor is None:
        return x, ""
    with np.errstate(all="ignore"):
        ratios = np.abs(modulus) / (viscosity.values * factor * column.values)
    ratios = ratios[np.isfinite(ratios)]
    for turn, unit in ((1.0, "rad/s"), (2 * math.pi, "Hz")):
        if ratios.size and np.all(np.abs(ratios / turn - 1) <= _NEAR):
            note = f"{column.name} is in {unit}, as |G*| / |η*| in {viscosity.name} shows"
            return column.values * turn, note
    return x, ""
