"""Converts the numbers of progress reports to whole numbers. Pure."""

from __future__ import annotations

import math
import operator
import reprlib
from typing import SupportsFloat, SupportsIndex

__all__ = ["FRACTION_TOTAL", "Number", "whole_numbers"]

Number = SupportsFloat | SupportsIndex

FRACTION_TOTAL = 1000
"""The total of a stage that is reported in fractions."""


def whole_numbers(
    current: Number | None, total: Number | None, *, is_fraction: bool = False
) -> tuple[int, int, bool]:
    """Return `current` and `total` as whole numbers, 0 ≤ current ≤ total where a total is known.

    Counts stay as they are. Fractions (``0.25, 1.0``; ``0.25, 1``; ``2.5, 10``) become
    thousandths of the total; a total of 1000 or more is only rounded. A negative number counts
    as 0. What is not finite, or None, is unknown: a total of 0, or no step further. More than
    the total is capped at the total.

    Parameters
    ----------
    current, total : number or None
        Of any type: int, float, a NumPy scalar, `decimal.Decimal`.
    is_fraction : bool
        Whether the stage has counted in fractions before: then it continues to.

    Returns
    -------
    current, total : int
        The whole numbers.
    is_fraction : bool
        Whether the stage counts in fractions.

    Raises
    ------
    TypeError
        If one of them is no number.
    """
    done, whole = _finite(current, "current"), _finite(total, "total")
    done = 0 if done is None or done < 0 else done
    if whole is None or whole <= 0:
        return int(done), 0, is_fraction
    done = min(done, whole)
    if whole >= FRACTION_TOTAL:
        rounded = round(whole)
        return rounded if done == whole else min(int(done), rounded), rounded, is_fraction
    in_fractions = isinstance(whole, float) and whole == 1.0
    if not (is_fraction or in_fractions) and done == int(done) and whole == int(whole):
        return int(done), int(whole), False
    # The small number prevents 0.29 of 1000 from becoming 289.
    return int(FRACTION_TOTAL * (done / whole) + 1e-9), FRACTION_TOTAL, True


def _finite(value: Number | None, name: str) -> int | float | None:
    """Return a number as int or float; None for one that is unknown or not finite."""
    if value is None:
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        pass
    try:
        if isinstance(value, str | bytes | bytearray):
            raise TypeError("text is no number")
        number = float(value)
    except (OverflowError, ValueError):  # too large for a float, or a signaling NaN
        return None
    except TypeError as error:
        raise TypeError(f"progress takes numbers, got {name} = {reprlib.repr(value)}") from error
    return number if math.isfinite(number) else None
