"""Writes numbers, units and times as readable text."""

from __future__ import annotations

import math
from collections.abc import Iterable

from qtpy.QtCore import QCoreApplication

from rheojobs import durations
from rheojobs.inference.data.units import shown_unit
from rheojobs.inference.expressions.parameter_symbols import with_symbols

__all__ = [
    "bounds_text",
    "divergences_text",
    "duration",
    "estimate",
    "number",
    "power_of_ten",
    "sentence",
    "unit_text",
    "with_unit",
]

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


_RAISED = {"n": "ⁿ", "α": "ᵅ", "β": "ᵝ", "γ": "ᵞ", "alpha": "ᵅ", "beta": "ᵝ", "gamma": "ᵞ"}


def power_of_ten(power: int) -> str:
    """Write ``10³``."""
    return f"10{str(power).translate(_SUPERSCRIPTS)}"


def number(value: float, digits: int = 4, *, trim: bool = True) -> str:
    """Write a number with `digits` significant digits: ``0.0312``, ``2.5×10⁶``, ``∞``.

    Zeros at the end are left out, unless `trim` is false.
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -3 <= power < max(4, digits):
        text = f"{value:.{max(digits - 1 - power, 0)}f}"
        text = _trimmed(text) if trim else text
    else:
        factor = _trimmed(mantissa) if trim else mantissa
        ten = power_of_ten(power)
        text = {"1": ten, "-1": f"-{ten}"}.get(factor, f"{factor}×{ten}")
    return text.replace("-", "−")


def estimate(value: float, uncertainty: float | None) -> str:
    """Write a value to the second digit of its uncertainty: ``0.180`` for 0.18 ± 0.044."""
    usable = uncertainty is not None and math.isfinite(uncertainty) and uncertainty > 0
    if uncertainty is None or not usable or not math.isfinite(value) or value == 0:
        return number(value)
    digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(uncertainty)) + 2
    return number(value, min(max(digits, 2), 7), trim=False)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_text(unit: str) -> str:
    """Write a unit, ``Pa·sᵅ`` for ``Pa·s^alpha``; empty if there is none."""
    unit = shown_unit(unit)
    base, caret, exponent = unit.rpartition("^")
    return f"{base}{_RAISED[exponent]}" if caret and exponent in _RAISED else unit


def with_unit(name: str, unit: str) -> str:
    """Label an axis: ``ω / (rad/s)``; only the name if there is no unit."""
    text = unit_text(unit)
    if not text:
        return name
    return f"{name} / ({text})" if "/" in text else f"{name} / {text}"


def bounds_text(lower: float, upper: float) -> str:
    """Write two limits."""
    return f"{number(lower)} … {number(upper)}"


def duration(seconds: float) -> str:
    """Write a duration without a place at which a line could break."""
    return durations.duration(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def sentence(text: str, names: Iterable[str] = ()) -> str:
    """Write a warning as a sentence, with the symbols of these parameters.

    A symbol at its beginning keeps its case.
    """
    shown = with_symbols(text, names)
    starts_with_word = shown[:2] == text[:2] and not text.startswith(tuple(names))
    return f"{shown[:1].upper()}{shown[1:]}." if starts_with_word else f"{shown}."


def divergences_text(count: int) -> str:
    """Write a count of divergences."""
    if count == 1:
        return QCoreApplication.translate("texts", "1 divergence")
    return QCoreApplication.translate("texts", "{count} divergences").format(count=count)
