"""Check a number that a user gives. Imports no NumPy, so that checking options is quick."""

from __future__ import annotations

import math

from rheojobs.errors import InputError

__all__ = ["as_number"]


def as_number(label: str, value: object) -> float:
    """Return a finite float, or raise an `InputError` that begins with `label`."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{label} must be a finite number, not {value!r}")
    return number
