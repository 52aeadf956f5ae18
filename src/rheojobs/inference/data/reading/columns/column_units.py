"""Apply the units that the user has named for columns, in place of those in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rheojobs.inference.data.reading.columns.column_choice import Column, choose, named_column
from rheojobs.inference.data.reading.headings.headers import UNCERTAINTY, quantity_of
from rheojobs.inference.data.reading.headings.label_units import bare_name
from rheojobs.inference.data.reading.headings.unit_errors import UnitError
from rheojobs.inference.data.reading.options import ROLES
from rheojobs.inference.data.units import SI_UNITS, fits, is_unit, no_unit

__all__ = ["with_units"]


def with_units(
    columns: list[Column],
    mode: str | None,
    named: Sequence[str | int | None],
    units: Mapping[str, str],
) -> list[Column]:
    """Return the columns of a table with the units that the user has named.

    Parameters
    ----------
    columns : list of Column
        All of the table.
    mode : str or None
        The test mode, if the user has named it.
    named : sequence of str, int or None
        The user's x, y and y2; those that are not named are chosen as `choose` does.
    units : mapping of str to str
        By `ROLES`.

    Raises
    ------
    UnitError
        If a unit is unknown, or is one of another quantity than the column's.
    InputError
        If no column is found for a role.
    """
    given = {
        role: named_column(str(wanted).strip(), columns, role)
        for role, wanted in zip(ROLES, named, strict=True)
        if wanted is not None and role in units
    }
    if len(given) < len(units):
        choice = choose(columns, mode, named)
        given = dict(zip(ROLES, (choice.x, *choice.ys), strict=False)) | given
    fresh = list(columns)
    for role, unit in units.items():
        if role not in given:
            raise UnitError(f"there is no second y that could be in {unit!r}", role)
        column = given[role]
        fresh[column.number - 1] = _with_unit(column, unit.strip(), role)
    return fresh


def _with_unit(column: Column, unit: str, role: str) -> Column:
    quantity, rank = column.quantity, column.rank
    if quantity in ("", UNCERTAINTY):
        # Without the unknown unit behind it, the name may be a known one.
        quantity, rank = quantity_of(bare_name(column.label))
    if quantity and not fits(unit, quantity):
        raise UnitError(
            f"{unit!r} is no unit of {quantity} ({column.name}): give one such as "
            f"{SI_UNITS[quantity] or '1'}",
            role,
        )
    if not (quantity or is_unit(unit) or no_unit(unit)):
        raise UnitError(f"{unit!r} ({column.name}) is an unknown unit: give the SI unit", role)
    return replace(column, unit=unit, quantity=quantity or column.quantity, rank=rank)
