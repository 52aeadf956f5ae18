"""Numbers as a scientist writes them: only the digits that are known."""

from __future__ import annotations

import math

from rheojobs.cli.encoding import can_show

__all__ = ["interval", "measured", "number", "plural"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN_EXPONENTS = range(-2, 4)
"""Powers of ten that are written out: 0.012 and 1,234 read better than 1.2×10⁻²."""


def _power(exponent: int) -> str:
    power = f"×10{str(exponent).translate(_SUPERSCRIPTS)}"
    # As a whole: encodings of Western Europe have ¹, ² and ³ only.
    return power if can_show(power) else f"e{exponent:+03d}"


def _exponent(value: float) -> int:
    """Return the power of ten of the leading digit; 0 for zero and non-finite values."""
    if value == 0 or not math.isfinite(value):
        return 0
    return math.floor(math.log10(abs(value)))


def _written(values: tuple[float, ...], last_place: int, exponent: int) -> tuple[list[str], str]:
    """Write numbers to the place 10^`last_place` with one power of ten; return both."""
    if exponent in _PLAIN_EXPONENTS:
        exponent = 0
    decimals = min(15, max(0, exponent - last_place))
    rounded = [round(value, -last_place) for value in values]
    texts = [f"{value / 10.0**exponent:.{decimals}f}" for value in rounded]
    return texts, _power(exponent) if exponent else ""


def number(value: float, digits: int = 4) -> str:
    """Write a number with `digits` significant digits: ``1.234×10⁵``."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "–"
    if value == 0:
        return "0"
    exponent = _exponent(value)
    (text,), power = _written((value,), exponent - digits + 1, exponent)
    return f"{text}{power}"


def measured(value: float, error: float) -> str:
    """Write an estimate with its uncertainty: ``(1.294 ± 0.050)×10⁵``.

    Parameters
    ----------
    value : float
        The estimate.
    error : float
        Its standard error, written with two digits; infinite or NaN if unknown: then the
        estimate is written alone.
    """
    if not math.isfinite(value) or not math.isfinite(error) or error <= 0:
        return number(value)
    # An estimate far smaller than its uncertainty has no digit of its own, and one that is
    # known beyond double precision has no more than 12.
    largest = _exponent(max(abs(value), error))
    last_place = max(_exponent(error) - 1, largest - 11)
    texts, power = _written((value, error), last_place, largest)
    joined = " ± ".join(texts)
    return f"({joined}){power}" if power else joined


def interval(low: float, high: float, center: float | None = None) -> str:
    """Write an interval with as many digits as its width warrants: ``(1.20 … 1.39)×10⁵``.

    Parameters
    ----------
    low, high : float
        Its ends.
    center : float, optional
        The estimate that is shown beside it; both are written with its power of ten.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{number(low)} … {number(high)}"
    width = high - low
    if width <= 0:
        return number(low)
    largest = _exponent(max(abs(low), abs(high)))
    last_place = max(_exponent(width) - 1, largest - 11)
    shared = largest if not center else _exponent(center)
    texts, power = _written((low, high), last_place, shared)
    joined = " … ".join(texts)
    return f"({joined}){power}" if power else joined


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 draw``, ``2 draws``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
