"""Collect the repairs of RheoJAX's predictions; `repair` says what an entry means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rheojobs.inference.models.rheojax import (
    fractional,
    other_quantities,
    rate_equations,
    soft_glassy,
)
from rheojobs.inference.models.rheojax.repair import Narrowed, Orders, Repair

__all__ = ["BOUNDS", "ORDERS", "REPAIRS"]

# A file of formulas has a table named REPAIRS, and may have others named BOUNDS and ORDERS.
_FILES = (fractional, soft_glassy, other_quantities, rate_equations)


def _merged[Key, Entry](tables: Iterable[Mapping[Key, Entry]]) -> dict[Key, Entry]:
    merged: dict[Key, Entry] = {}
    for table in tables:
        if twice := merged.keys() & table.keys():
            raise ValueError(f"two files repair the same: {sorted(map(str, twice))}")
        merged |= table
    return merged


REPAIRS: Mapping[tuple[str, str], Repair] = _merged(file.REPAIRS for file in _FILES)
"""Repairs by RheoJAX's class and the test mode."""

BOUNDS: Narrowed = _merged(getattr(file, "BOUNDS", {}) for file in _FILES)
"""Narrower bounds by RheoJAX's class and the test mode."""

ORDERS: Orders = _merged(getattr(file, "ORDERS", {}) for file in _FILES)
"""Parameters of which the first must not exceed the second, by RheoJAX's class."""
