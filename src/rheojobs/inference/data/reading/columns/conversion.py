"""Convert a column to SI units, undo its logarithm, and note what was done."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.columns.column_choice import Column
from rheojobs.inference.data.reading.headings.label_units import other_text, parts_of
from rheojobs.inference.data.reading.headings.unit_errors import UnitError
from rheojobs.inference.data.units import (
    SI_UNITS,
    no_unit,
    parse_unit,
    si_factor,
    si_name,
    without_logarithm,
)

__all__ = ["in_si", "undone", "unit_after"]

_DECADES = 40.0  # more than any quantity spans


def in_si(
    column: Column, quantity: str, notes: list[str], *, role: str = "x"
) -> NDArray[np.float64]:
    """Convert a column to the SI unit of `quantity`, with a note on the conversion.

    Parameters
    ----------
    column : Column
        With the unit as the file writes it.
    quantity : str
        A key of `SI_UNITS`; empty if it is unknown.
    notes : list of str
        What was done is added.
    role : str
        Of the column among `ROLES`, for the error.

    Returns
    -------
    ndarray, shape (n,)
        The values.

    Raises
    ------
    UnitError
        If the unit is unknown or is none of the quantity.
    InputError
        If the values are no logarithms, but the file says so.
    """
    label, si_unit = column.name, SI_UNITS.get(quantity, "")
    base, unit = without_logarithm(column.unit)
    unit = unit.strip(" []()") if not no_unit(unit) else ""
    values = undone(column, base, notes) if base else column.values
    if not unit and quantity:
        unit = _usual(column, quantity, notes)
        if not unit:
            notes.append(f"{label}: {_none_found(column)}, taken as {_as(quantity, si_unit)}")
            return values
    factor = _factor(unit, quantity)
    if factor is None:
        raise UnitError.of(label, column.unit, quantity, role)
    target = si_unit if quantity else unit_after(unit)
    if factor != 1.0:
        notes.append(f"{label}: converted from {unit} to {target or 'a fraction'}")
    else:
        notes.append(f"{label}: {quantity or 'unknown quantity'} / {unit or '1'}")
    with np.errstate(over="ignore"):
        return np.asarray(values * factor)


def _usual(column: Column, quantity: str, notes: list[str]) -> str:
    """Return the unit that a quantity without one has by custom, with a note."""
    label = column.name
    if quantity == "frequency" and label == "f":
        notes.append(f"{label}: no unit, taken as Hz since f counts cycles")
        return "Hz"
    if quantity == "phase angle":
        with np.errstate(all="ignore"):
            is_small = bool(np.nanmax(np.abs(column.values), initial=0.0) <= math.pi / 2)
        doubt = "; none is above π/2: if it is in rad, say so with the option units"
        notes.append(f"{label}: no unit, taken as degrees{doubt if is_small else ''}")
        return "°"
    return ""


def _as(quantity: str, si_unit: str) -> str:
    hint = "; if it is in Hz, say so with the option units" if quantity == "frequency" else ""
    return f"{quantity} / {si_unit or '1'}{hint}"


def _none_found(column: Column) -> str:
    """Say that there is no unit, or quote the text in which none was found."""
    texts = [column.unread] if column.unread else []
    texts += [p.unit for p in parts_of(column.label) if p.firm and other_text(p.unit)][:1]
    if not texts:
        return "no unit"
    quoted = " and ".join(repr(text) for text in texts)
    return f"no unit read in {quoted} (the option units names one)"


def _factor(unit: str, quantity: str) -> float | None:
    if quantity:
        return si_factor(unit, quantity)
    parsed = parse_unit(unit) if unit else (1.0, 0, 0)
    return None if parsed is None else parsed[0]


def unit_after(unit: str) -> str:
    """Return the SI unit into which values of an unknown quantity in `unit` are converted."""
    return si_name(unit) if unit else ""


def undone(column: Column, base: float, notes: list[str]) -> NDArray[np.float64]:
    """Undo a logarithm."""
    with np.errstate(all="ignore"):
        largest = float(np.nanmax(np.abs(column.values), initial=0.0)) * math.log10(base)
    if largest > _DECADES:
        raise InputError(
            f"column {column.name!r} is a logarithm by its name, but has values as large as "
            f"{float(np.nanmax(np.abs(column.values))):g}: if it is none, name its unit with "
            "{units}",
            options=("units",),
        )
    kind = "decimal" if base == 10 else "natural"
    notes.append(f"{column.name}: {kind} logarithm undone")
    return np.asarray(np.power(base, column.values))
