"""Collect the repairs of RheoJAX's predictions; `repair` says what an entry means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rheojobs.inference.models.rheojax import (
    fractional,
    other_quantities,
    rate_equations,
    soft_glassy,
)
from rheojobs.inference.models.rheojax.repair import Narrowed, Repair

__all__ = ["BOUNDS", "REPAIRS"]

# A file of formulas has a table named REPAIRS; if it narrows bounds, one named BOUNDS.
_FILES = (fractional, soft_glassy, other_quantities, rate_equations)


def _merged[Entry](
    tables: Iterable[Mapping[tuple[str, str], Entry]],
) -> dict[tuple[str, str], Entry]:
    merged: dict[tuple[str, str], Entry] = {}
    for table in tables:
        if twice := merged.keys() & table.keys():
            raise ValueError(f"two files repair the same pairs: {sorted(twice)}")
        merged |= table
    return merged


REPAIRS: Mapping[tuple[str, str], Repair] = _merged(file.REPAIRS for file in _FILES)
"""Repairs by RheoJAX's class and the test mode."""

BOUNDS: Narrowed = _merged(getattr(file, "BOUNDS", {}) for file in _FILES)
"""Narrower bounds by RheoJAX's class and the test mode."""
