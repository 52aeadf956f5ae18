"""Find the units of a table in the rows of text around its names, and what stays unread there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rheojobs.inference.data.reading.headings.headers import quantity_of, recognise
from rheojobs.inference.data.reading.headings.label_units import merged
from rheojobs.inference.data.units import is_unit, no_unit, parse_unit

__all__ = ["UnitRows", "are_units", "is_unit_cell", "unit_rows"]

# Units whose spelling is also a word or a mark of its own: alone they make no row of units.
_UNSURE = re.compile(r"[A-Za-zµ]|min|max|in|turns?|revs?|cycles?|seconds?|minutes?|tr", re.I)
_CERTAIN_LETTERS = {"s", "h", "P", "N"}
_FACTOR = re.compile(r"[x×*·]\s*(?!1$)\d[\d.,eE^+-]*|10(\^|\*\*)[+-]?\d+|10[⁺⁻⁰-⁹¹²³]+")
_PREFIX = re.compile(r"\s*(?:units?|einheit(?:en)?|unit[ée]s?|dimension)\s*[:=]?\s*", re.IGNORECASE)


class UnitRows(NamedTuple):
    """For each column its unit, empty if none was found, and the text around it that is none."""

    units: list[str]
    unread: list[str]


def is_unit_cell(cell: str) -> bool:
    """Whether a cell of a row of units may be one: ``"kPa"``, ``"[kPa]"``, ``"[-]"``."""
    marked = re.fullmatch(r"\[.*\]|\(.*\)|<.*>|(in |/ ?|, ?)[^\s\d]\S*", cell) is not None
    return marked or is_unit(cell) or no_unit(cell) or cell == "1"


def _is_certain(cell: str) -> bool:
    bare = cell.strip(" []()")
    if not is_unit(cell):
        return False
    return bare in _CERTAIN_LETTERS or cell != bare or _UNSURE.fullmatch(bare) is None


def _ends_with_unit(cell: str) -> bool:
    """Whether a cell is a power or a number of a unit: ``"x1000 Pa"``, ``"10^3"``."""
    number, _, unit = cell.rpartition(" ")
    return _FACTOR.fullmatch(cell) is not None or (
        re.match(r"[x×*·]?\s*\d", number) is not None and is_unit(unit)
    )


def are_units(cells: Sequence[str]) -> bool:
    """Whether a row of text holds units: one certain unit makes it so, unless it has names."""
    filled = [cell for cell in cells if cell]
    certain = sum(_is_certain(cell) for cell in filled)
    names = sum(recognise(cell)[0] != "" and not is_unit(cell) for cell in filled)
    if not certain or names > certain:
        return False
    # Names with their unit, such as "Temperature, °C", stand in no row of units; words may.
    alike = sum(is_unit_cell(cell) or _ends_with_unit(cell) for cell in filled)
    are_short = all(len(cell) <= 10 and " " not in cell for cell in filled)
    return 2 * alike >= len(filled) or certain >= 2 or are_short


def unit_rows(
    above: Sequence[list[str]],
    header: list[str],
    below: Sequence[list[str]],
    remarks: Sequence[list[str]] = (),
    *,
    is_exact: bool = False,
) -> UnitRows:
    """Find the units of the columns under a row of names.

    Parameters
    ----------
    above : sequence of list of str
        The rows of text above the names.
    header : list of str
        The names.
    below : sequence of list of str
        The rows of text between the names and the numbers.
    remarks : sequence of list of str
        Rows behind comment marks, if the names stand in none; or the other way round.
    is_exact : bool
        Whether a row must have as many cells as there are names, since blanks part both columns
        and the factors of a unit.
    """
    width = len(header)
    units = [""] * width
    unread: list[list[str]] = [[] for _ in header]
    is_bare = not any(map(are_units, below)) and not any(recognise(name)[1] for name in header)
    over = [
        row for row in above[-1:] if _only_units(row) or (is_bare and _may_be_units(row, width))
    ]
    beside = [row for row in remarks if len(row) == width and _only_units(row)]
    for row in (*below, *over, *beside):
        cells = _joined(row, width) if is_exact and len(row) > width else row
        if not are_units(cells) or (is_exact and len(cells) != width):
            _quote(unread, row, header)
            for index, cell in enumerate(row[:width] if len(row) == width else ()):
                if _FACTOR.fullmatch(cell):
                    units[index] = f"{units[index]} {cell}".strip()
            continue
        for index, cell in enumerate(cells[:width]):
            if cell and not _PREFIX.fullmatch(cell):
                units[index] = merged(units[index], cell) if units[index] else cell
    lines = [*above, *remarks] if not any(units) else []
    for row in lines:
        is_next = is_bare and row in above[-1:] and len(row) == width and all(row)
        if row not in over and row not in beside and (is_next or _tells_units(row)):
            _quote(unread, row, header)
    return UnitRows(units, ["; ".join(texts) for texts in unread])


def _joined(row: Sequence[str], width: int) -> list[str]:
    """Join the factors of units that blanks part, such as ``Pa s``, into as many as names."""
    text = re.sub(r"\b([mckM]?Pa|[mµu]?N|rad) (s|m|s\^?-1|s⁻¹)(?=\s|$)", r"\1·\2", " ".join(row))
    cells = text.split()
    return cells if len(cells) == width else list(row)


def _only_units(row: Sequence[str]) -> bool:
    """Whether a row holds nothing but units, such as one above the names."""
    filled = [cell for cell in row if cell and not _PREFIX.fullmatch(cell)]
    certain = sum(_is_certain(cell) for cell in filled)
    return certain > 0 and len(filled) >= 2 and all(map(is_unit_cell, filled))


def _may_be_units(row: Sequence[str], width: int) -> bool:
    """Whether a row above names without units holds units, known or not, of measured columns."""
    measured = [cell for cell in row if (parse_unit(cell) or (0, 0, 0))[1:] != (0, 0)]
    return len(row) == width and all(row) and are_units(row) and bool(measured)


def _tells_units(row: Sequence[str]) -> bool:
    """Whether a line speaks of units: "moduli in kPa", "Units: Hz, kPa"."""
    words = re.split(r"[\s,;:=()\[\]]+", " ".join(row))
    sure = [w for w in words if len(w) > 1 and _is_certain(w) and not quantity_of(w)[0]]
    return any((parse_unit(word) or (0, 0, 0))[1:] != (0, 0) for word in sure)


def _quote(unread: list[list[str]], row: Sequence[str], header: Sequence[str]) -> None:
    """Note a row of text at the columns that it stands over; a single cell stands over all."""
    filled = [cell for cell in row if cell]
    alone = len(filled) == 1 or len(row) != len(header)
    for index, texts in enumerate(unread):
        text = " ".join(filled) if alone else row[index]
        if text and not no_unit(text):
            texts.append(text[:60])
