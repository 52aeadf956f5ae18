"""The error of a unit that is unknown or of another quantity than its column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.options import ROLES
from rheojobs.inference.data.units import SI_UNITS, is_unit, without_logarithm

__all__ = ["UnitError"]


class UnitError(InputError):
    """A unit does not fit its column; `role` is that column's, one of `ROLES`."""

    def __init__(self, text: str, role: str, options: Iterable[str] = ()) -> None:
        super().__init__(text, options=options)
        self.role = role

    @classmethod
    def of(cls, column: str, unit: str, quantity: str, role: str) -> Self:
        """Return the error for a unit as the file writes it, which says how to give another."""
        kind = "no unit of" if is_unit(unit) else "an unknown unit of"
        if without_logarithm(unit)[0]:
            kind = "no logarithm of a unit of"
        way = f"write the deviations in a unit of {quantity}"
        if role in ROLES:
            way = f"give the unit with {{units}}, such as {role}={SI_UNITS.get(quantity) or '1'}"
        return cls(f"column {column!r}: {unit!r} is {kind} {quantity}: {way}", role, ("units",))
