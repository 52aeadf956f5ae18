"""Conditions of a measurement, such as temperature and concentration, and what a name says of them.

Only what a name says plainly is taken: two temperatures, a bare ``300K`` (which may be a molar
mass) or ``c2`` (which may be a sample) give nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from rheojobs.errors import InputError
from rheojobs.inference.data.number import as_number

__all__ = ["CONDITIONS", "ZERO_CELSIUS", "check_conditions", "conditions_of_name"]

CONDITIONS = {"T": ("temperature", "K"), "c": ("concentration", "")}
"""The usual conditions: what each is, and its unit. Others may have any name."""

ZERO_CELSIUS = 273.15

_NUMBER = r"(?P<number>[+\N{MINUS SIGN}-]?\d+(?:[.,]\d+)?)"
# A dash after a letter or a digit joins two words: it may also be a sign, so nothing is taken.
_START = r"(?<![A-Za-z0-9.,%°+\N{MINUS SIGN}-])"
_END = r"(?![A-Za-z0-9%°]|[.,]\d)"
_NAMED = r"(?:T|[Tt]emp|[Tt]emperature)(?:[ _]?=[ _]?|[ _]|(?=\d))"
_DEGREES = r"(?:[ _]?(?:°|º|deg|grad)[ _.]?[Cc]|[ _]?[Cc]elsius)"

_CELSIUS = (
    re.compile(f"{_START}(?:{_NAMED})?{_NUMBER}{_DEGREES}{_END}"),
    re.compile(f"{_START}{_NAMED}{_NUMBER}[ _]?C{_END}"),
    # Without T or °, one digit may be the number of a sample.
    re.compile(rf"{_START}(?P<number>[+\N{{MINUS SIGN}}-]?\d{{2,3}}(?:[.,]\d+)?)[ _]?C{_END}"),
)
_KELVIN = (re.compile(f"{_START}{_NAMED}{_NUMBER}[ _]?K(?:elvin)?{_END}"),)
_PERCENT = (re.compile(rf"{_START}{_NUMBER}[ _]?wt[ _.]?(?:%|pct|percent)(?![A-Za-z0-9])"),)
_CONCENTRATION = (
    re.compile(rf"{_START}(?:c|conc|concentration)[ _]?=[ _]?{_NUMBER}{_END}"),
    re.compile(rf"{_START}(?:c|conc|concentration)(?P<number>\d+[.]\d+){_END}"),
)


def check_conditions(conditions: object) -> dict[str, float]:
    """Check conditions, such as ``{"T": 423.15}``; return them as floats.

    Raises
    ------
    InputError
        For anything but a mapping of words to finite numbers, or a temperature below 0 K.
    """
    if conditions is None:
        return {}
    if not isinstance(conditions, Mapping):
        kind = type(conditions).__name__
        raise InputError(f"conditions must map names to numbers, not be a {kind}")
    checked: dict[str, float] = {}
    for name, value in conditions.items():
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"a condition has a name, such as T or c; got {name!r}")
        what, unit = CONDITIONS.get(name, ("", ""))
        words = f" ({what}{' / ' if unit else ''}{unit})" if what else ""
        checked[name] = as_number(f"condition {name}{words}", value)
    if checked.get("T", 1.0) <= 0:
        raise InputError(f"condition T is {checked['T']:g} K: a temperature in kelvin is positive")
    return checked


def conditions_of_name(name: str) -> tuple[dict[str, float], list[str]]:
    """Return the conditions that the name of a file says plainly, and a note on each.

    Parameters
    ----------
    name : str
        Without folder and ending.

    Returns
    -------
    conditions : dict of str to float
        ``T`` / K and ``c``: a mass fraction if the name says ``wt%``, else as it is written.
    notes : list of str
        What was taken from the name, and how it was converted.
    """
    conditions: dict[str, float] = {}
    notes: list[str] = []
    celsius = {text: value + ZERO_CELSIUS for text, value in _found(name, _CELSIUS).items()}
    text, value = _only(celsius | _found(name, _KELVIN))
    if value > 0:
        conditions["T"] = value
        notes.append(f"T = {value:g} K: {text!r} in the file's name")
    fractions = {text: value / 100 for text, value in _found(name, _PERCENT).items()}
    text, value = _only(_found(name, _CONCENTRATION) | fractions)
    if value >= 0:
        conditions["c"] = value
        how = "as a mass fraction" if text in fractions else "as it is written"
        notes.append(f"c = {value:g}, {how}: {text!r} in the file's name")
    return conditions, notes


def _only(found: dict[str, float]) -> tuple[str, float]:
    """Return the passage with the only value; NaN if there is none, or if there are several."""
    values = {round(value, 9) for value in found.values()}
    return (next(iter(found)), values.pop()) if len(values) == 1 else ("", math.nan)


def _found(name: str, patterns: tuple[re.Pattern[str], ...]) -> dict[str, float]:
    """Return the passages of a name that match, with their numbers."""
    return {
        match.group(): float(match["number"].replace(",", ".").replace("\N{MINUS SIGN}", "-"))
        for pattern in patterns
        for match in pattern.finditer(name)
    }
