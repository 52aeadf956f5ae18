"""Parses and formats amounts of memory, such as "2 GiB"."""

from __future__ import annotations

import math
import re

from rheojobs.errors import InputError

__all__ = ["parse_bytes", "size"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_FACTORS = {
    **{unit.casefold(): 1024**power for power, unit in enumerate(_UNITS)},
    **{unit: 1000**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))},
}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]+)\s*", re.IGNORECASE)


def parse_bytes(amount: str | float) -> int:
    """Return an amount of memory in bytes.

    Parameters
    ----------
    amount : str or float
        Such as ``"2 GiB"``, ``"500 MB"``, or a number of bytes.

    Raises
    ------
    InputError
        If it is neither, or not above zero.
    """
    number = math.nan
    if isinstance(amount, str):
        if (found := _SIZE.fullmatch(amount)) is not None:
            number = float(found[1]) * _FACTORS.get(found[2].casefold(), math.nan)
    elif isinstance(amount, int | float) and not isinstance(amount, bool):
        number = float(amount)
    if not 1 <= number < math.inf:
        raise InputError(f"memory must be like '2 GiB' or a number of bytes, got {amount!r}")
    return int(number)


def size(amount: float) -> str:
    """Return a number of bytes as text, such as ``"3.1 GiB"``."""
    power = 0
    while amount >= 1023.95 and power < len(_UNITS) - 1:
        amount, power = amount / 1024, power + 1
    return f"{amount:.1f} {_UNITS[power]}" if power else f"{amount:.0f} B"
