"""Find the tables in a grid of cells: runs of rows of numbers, each under its header."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from rheojobs.inference.data.reading.formats.header_split import fitted, split_otherwise
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.summary_rows import no_points_note
from rheojobs.inference.data.reading.formats.text_dialect import (
    NumberStyle,
    is_missing,
    is_number,
    is_row,
)
from rheojobs.inference.data.reading.headings.headers import recognise
from rheojobs.inference.data.reading.headings.unit_rows import UnitRows, are_units, unit_rows
from rheojobs.inference.data.units import is_unit

__all__ = ["header_of", "tables_of"]


def tables_of(
    grid: Sequence[list[str]],
    style: NumberStyle,
    *,
    title: str = "",
    remarks: Collection[int] = (),
    strict: bool = False,
    firm: Sequence[list[str]] = (),
) -> list[Section]:
    """Split a grid of cells into its tables: runs of rows of numbers, each under its header.

    `remarks` are the rows behind a comment mark; with `strict`, a header must have as many cells
    as the rows, since its names may have been split at their spaces, unless it is one of `firm`.
    """
    found: list[Section] = []
    above: list[list[str]] = []  # the rows of text since the last table
    commented: list[list[str]] = []
    rows: list[list[str]] = []
    loose: list[list[str]] = []  # one row of numbers above the names: temperatures of pairs
    blanks = 0

    def close() -> None:
        nonlocal rows, above, commented, loose
        if rows:
            section = _section(above, commented, rows, style, strict, title, firm)
            section = replace(section, above=(*loose, *section.above))
            loose = rows if len(rows) == 1 and not section.header else []
            if not section.header and found:
                # After only a title or a gap, the previous header still applies.
                last = found[-1]
                section = replace(section, header=last.header, units=last.units, unread=last.unread)
            found.append(section)
            rows, above, commented = [], [], []

    for index, cells in enumerate(grid):
        filled = sum(map(bool, cells))
        numbers = style.count(cells)
        if 0 < numbers < filled:
            # A number in another style is none, but it makes no text of the row.
            numbers = max(numbers, sum(map(is_number, cells)))
        if not filled:
            blanks += 1
        elif index in remarks:
            commented.append(cells)
        elif not cells[0].endswith(":") and (  # "Interval and data points: 2 17"
            is_row(numbers, filled) or (rows and _is_gap(cells, rows, style, numbers))
        ):
            if blanks >= 2 and is_row(numbers, filled):
                close()  # gnuplot's separator of data sets
            rows.append(cells)
            blanks = 0
        else:
            close()
            above.append(cells)
            blanks = 0
    close()
    below = [" ".join(filter(None, row)) for row in above]
    if found and any(re.search(r"\d", text) for text in below):
        told = no_points_note(below)
        found[-1] = replace(found[-1], notes=(*found[-1].notes, told))
    if any(_recognised(s.header) >= 2 for s in found):
        return [s for s in found if _is_table(s)]
    # Lines of a preamble may hold two numbers too: keep the tables similar to the largest.
    width = len(max(found, key=lambda s: len(s.rows)).rows[0]) if found else 0
    return [s for s in found if len(s.rows[0]) == width]


def _is_table(section: Section) -> bool:
    """Whether a section is a table, of quantities known or not, and no lines of a preamble."""
    known = _recognised(section.header)
    several = len(section.rows) >= 2 and len(section.header) >= 2
    return known >= 2 or (several and (known == 1 or bool(section.units)))


def header_of(rows: Sequence[list[str]], style: NumberStyle) -> tuple[list[str], list[str]]:
    """Return the names and the units of a table without points."""
    header, units = _header([row for row in rows if any(row)], style, 0)
    behind = bool(header) and header[0].endswith(":")
    return (header[1:], units.units[1:]) if behind else (header, units.units)


def _is_gap(cells: list[str], rows: list[list[str]], style: NumberStyle, numbers: int) -> bool:
    """Whether a row within a table is one of its rows, with values missing."""
    if all(map(is_missing, cells)):
        return True
    if numbers:
        # "Step;2" is a title: if the rows begin with a number, so do those with gaps.
        begins = is_missing(cells[0]) or style.count(cells[:1]) == 1
        return begins or not (is_missing(rows[-1][0]) or style.count(rows[-1][:1]))
    several = sum(map(bool, cells)) >= 2 and len(cells) == len(rows[-1])
    return several and not _recognised(cells)


def _section(
    above: list[list[str]],
    commented: list[list[str]],
    rows: list[list[str]],
    style: NumberStyle,
    strict: bool,
    title: str,
    firm: Sequence[list[str]] = (),
) -> Section:
    """Make a section of rows of numbers and of the rows above them."""
    width = len(rows[0])
    texts = [row for row in above if not all(map(is_missing, row))]
    gaps: list[list[str]] = []  # a table may begin with rows that lack values
    while texts and _lacks_values(texts[-1], rows[0], style):
        gaps.insert(0, texts.pop())
    texts, remarks = (split_otherwise(r, width, _recognised) for r in (texts, commented))
    firm = [*firm, *(row for row in (*texts, *remarks) if row not in (*above, *commented))]
    # NumPy's savetxt comments its header.
    fitting = [row for row in remarks if len(row) == width or (len(row) > width and row in firm)]
    header, units = _header(texts, style, width if strict else 0, remarks, firm)
    others = [*texts, *(row for row in remarks if row not in fitting)]
    alternative, other_units = _header(fitting, style, width, others, firm)
    if _recognised(alternative) > _recognised(header):
        header = alternative
        units = other_units if any(other_units.units) or not any(units.units) else units
    found, unread = units
    if header and header[0].endswith(":") and len(header) > width and rows[0][0]:
        # RheoCompass writes "Interval data:" before the names; some rows have no cell under it.
        header, found, unread = header[1:], found[1:], unread[1:]
    heads = [list(filter(None, row)) for row in texts if row != header and not are_units(row)]
    alone = next((head[0] for head in reversed(heads) if len(head) == 1), title)
    pair = next((" ".join(head) for head in reversed(heads) if len(head) == 2), "")
    notes: tuple[str, ...] = ()
    above_names = tuple(row for row in texts if row != header and not are_units(row))
    if header in firm:
        header, note = fitted(header, width)
        notes = (note,) if note else ()
    return Section(
        alone or pair,
        header,
        found,
        [*gaps, *rows],
        style,
        unread=unread,
        above=above_names,
        notes=notes,
    )


def _has_digits_first(cell: str) -> bool:
    """Whether a cell is a number, or one in an unknown way: ``"<5"``, ``"(12)"``."""
    return is_missing(cell) or (
        re.match(r"[<>(~≈]?\s*[+-]?[.,]?\d", cell) is not None and not is_unit(cell)
    )


def _lacks_values(cells: list[str], row: list[str], style: NumberStyle) -> bool:
    """Whether cells are a row of numbers like `row`, except for missing values."""
    if len(cells) != len(row) or not style.count(cells):
        return False
    if style.count(cells[:1]) and all(map(_has_digits_first, cells)):
        return True
    return all(
        is_missing(cell) or style.count([cell]) or not style.count([below])
        for cell, below in zip(cells, row, strict=True)
    )


def _header(
    texts: list[list[str]],
    style: NumberStyle,
    width: int,
    remarks: Sequence[list[str]] = (),
    firm: Sequence[list[str]] = (),
) -> tuple[list[str], UnitRows]:
    """Return the names and units found among rows of text.

    A row of known names is preferred; else the last row with several cells is taken.
    """
    several = [(i, r) for i, r in enumerate(texts) if sum(map(bool, r)) >= 2]
    names = [(i, r) for i, r in several if width in (0, len(r)) or (len(r) > width and r in firm)]
    known = max(names, key=lambda pair: (_recognised(pair[1]), pair[0]), default=None)
    if known is None:
        return [], UnitRows([], [])
    if _recognised(known[1]) == 0:
        # A title with a number in it, "Temperature 150", names no columns.
        names = [(i, r) for i, r in names[-2:] if i >= len(texts) - 2 and not style.count(r)]
        if not names:
            return [], UnitRows([], [])
        known = next((pair for pair in reversed(names) if not are_units(pair[1])), names[-1])
        if are_units(known[1]):
            return [""] * len(known[1]), UnitRows(known[1], [])
    position, header = known
    above, below = texts[:position], texts[position + 1 :]
    return header, unit_rows(above, header, below, remarks, is_exact=width > 0)


def _recognised(cells: Sequence[str]) -> int:
    return sum(bool(recognise(cell)[0]) for cell in cells)
