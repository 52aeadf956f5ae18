"""Read RepTate's files: a line of constants, names perhaps, and columns in an order by suffix.

The order of the columns is that of RepTate's applications (github.com/jorge-ramirez-upm/RepTate).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.text_dialect import NumberStyle
from rheojobs.inference.data.reading.headings.headers import recognise
from rheojobs.inference.data.units import SI_UNITS, si_factor

__all__ = ["SUFFIXES", "constants_in", "is_reptate", "section_of_reptate"]


class _Format(NamedTuple):
    mode: str
    names: tuple[str, ...]
    units: tuple[str, ...]


_SWEEP = _Format(
    "oscillation",
    ("angular frequency", "storage modulus", "loss modulus"),
    ("rad/s", "Pa", "Pa"),
)
_FORMATS = {
    ".tts": _SWEEP,
    ".osc": _SWEEP,
    ".gt": _Format("relaxation", ("time", "relaxation modulus"), ("s", "Pa")),
    ".creep": _Format("creep", ("time", "strain", "shear stress"), ("s", "-", "Pa")),
    ".laos": _Format("laos", ("time", "strain", "shear stress"), ("s", "-", "Pa")),
    ".shear": _Format(
        "startup",
        ("time", "shear stress", "first normal stress difference", "shear rate"),
        ("s", "Pa", "Pa", "1/s"),
    ),
}
SUFFIXES = frozenset({*_FORMATS, ".uext"})
"""Those of RepTate's files."""

# No two neighbours match the same characters, or a long line of blanks would take minutes.
_CONSTANT = r"[^\W\d][\w.()*-]*\s*=[^;=]*"
_CONSTANTS = re.compile(rf"\s*{_CONSTANT}(?:;\s*{_CONSTANT})*(?:;\s*)?")
_SYMBOLS = {"gt", "n1", "sigma_xy", "sxy", "tau_xy", "tau_yx", "t(t)", "s"}
# Test mode -> constants in the file and here.
_NAMES: Mapping[str, Mapping[str, str]] = {
    "startup": {"gdot": "gamma_dot"},
    "creep": {"stress": "sigma_applied"},
    "laos": {"gamma": "gamma_0", "omega": "omega"},
    "relaxation": {"gamma": "gamma_0"},
}


def is_reptate(suffix: str, lines: Sequence[str]) -> bool:
    """Whether a suffix is one of RepTate's and the text holds no other format."""
    return suffix in SUFFIXES and not any("[step]" in line.lower() for line in lines)


def section_of_reptate(suffix: str, lines: Sequence[str]) -> list[Section]:
    """Return the table of a file; none if it has no rows of numbers.

    Raises
    ------
    InputError
        For measurements of an extensional flow.
    """
    if suffix == ".uext":
        raise InputError("measured in extension (.uext): models here are of shear")
    known = _FORMATS[suffix]
    style = NumberStyle()
    texts: list[list[str]] = []
    rows: list[list[str]] = []
    for line in lines:
        cells = line.split()
        if len(cells) >= 2 and style.count(cells[:2]) == 2:
            rows.append(cells)
        elif cells and not rows and not _is_constants(line):
            line = line.strip().lstrip("#").strip()
            parts = line.split("\t") if "\t" in line else line.split()
            texts.append([cell.strip() for cell in parts])
    if not rows:
        return []
    width = max(map(len, rows))
    if len(rows[0]) < min(len(known.names), 2) or width < 2:
        return []
    header, units = _header(texts, known, width)
    constants = constants_in(lines[0], known.mode) if lines else {}
    # Of a viscosity and a rate the reader makes a stress.
    mode = "" if "viscosity" in header else known.mode
    return [Section("", header, units, rows, style, mode=mode, constants=constants)]


def _header(texts: list[list[str]], known: _Format, width: int) -> tuple[list[str], list[str]]:
    """Return the names and units: the file's own, or those that the format gives each place."""
    own, own_units = [*texts[:2], [], []][:2]
    pairs = [_Named(own, own_units, place) for place in range(width)]
    claimed = {pair.quantity for pair in pairs if pair.quantity}
    names, units = [], []
    for place, pair in enumerate(pairs):
        usual = known.names[place] if place < len(known.names) else ""
        if pair.quantity or not usual or usual in claimed or not pair.may_be(usual):
            names.append(pair.name or f"column {place + 1}")
            is_usual = usual and _same_unit(pair.quantity, usual)
            units.append(pair.unit or (known.units[place] if is_usual and pair.bare else ""))
        else:
            names.append(usual)
            units.append(pair.unit or known.units[place])
    return names, units


class _Named:
    """The name and the unit that a file gives the column at a place."""

    def __init__(self, names: Sequence[str], units: Sequence[str], place: int) -> None:
        self.name = names[place] if place < len(names) else ""
        self.unit = units[place] if place < len(units) else ""
        if place and self.name.casefold() in ("h", "η"):  # in a font of Greek letters
            self.name = "viscosity"
        self.quantity = recognise(self.name, self.unit)[0] if self.name else ""
        self.bare = re.search(r"[\[(]", self.name) is None

    def may_be(self, quantity: str) -> bool:
        """Whether an unknown name may stand for a quantity: it is a symbol, or its unit fits."""
        found = re.search(r"[\[(](.+)[\])]$", self.name)
        unit = self.unit or (found[1] if found else "")
        fits = bool(unit) and si_factor(unit, quantity) is not None
        return not self.name or fits or self.name.casefold() in _SYMBOLS


def _same_unit(quantity: str, other: str) -> bool:
    return bool(quantity) and SI_UNITS.get(quantity) == SI_UNITS.get(other)


def _is_constants(line: str) -> bool:
    return _CONSTANTS.fullmatch(line) is not None


def constants_in(line: str, mode: str) -> dict[str, float]:
    """Return the constants of a test that a line such as ``gdot=0.01;T=160;`` gives."""
    if not _is_constants(line):
        return {}
    found = {}
    for part in line.split(";"):
        name, _, text = (piece.strip() for piece in part.partition("="))
        ours = _NAMES.get(mode, {}).get(name)
        try:
            value = float(text)
        except ValueError:
            continue
        if ours and math.isfinite(value) and value != 0:
            found[ours] = value
    return found
