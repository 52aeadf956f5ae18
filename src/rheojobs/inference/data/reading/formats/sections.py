"""Find the sections of a file's bytes: text, workbooks, XML and TA Instruments' LIMS export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rheojobs.errors import printable, shortened
from rheojobs.inference.data.reading.formats.decimal_sign import decided
from rheojobs.inference.data.reading.formats.header_split import tabbed
from rheojobs.inference.data.reading.formats.instrument_blocks import Block, blocks_of
from rheojobs.inference.data.reading.formats.reptate import is_reptate, section_of_reptate
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.sheet_texts import as_texts
from rheojobs.inference.data.reading.formats.spreadsheets import is_workbook, sheets_of
from rheojobs.inference.data.reading.formats.summary_rows import without_summaries
from rheojobs.inference.data.reading.formats.tables import header_of, tables_of
from rheojobs.inference.data.reading.formats.text_dialect import (
    NumberStyle,
    decoded,
    delimiter_of,
    split_lines,
)
from rheojobs.inference.data.reading.formats.xml_tables import is_xml, tables_of_xml

__all__ = ["sections_of"]

_LONGEST_NAME = 300
_INSTRUMENT_SUFFIXES = {".json", ".rdf", ".iwp", ".tri"}


def sections_of(
    data: bytes, suffix: str, delimiter: str = "", decimal: str = "", skip: int = 0
) -> list[Section]:
    """Find the tables in the bytes of a file; none if they are in an instrument's own format.

    The delimiter and the decimal mark of a text are detected if they are not given; `skip` is
    the number of lines, or of rows of each sheet, to leave out at the top.
    """
    if is_workbook(data):
        sections = _of_sheets(sheets_of(data), skip, decimal)
    elif is_xml(data):
        sections = _of_sheets(tables_of_xml(data), skip, decimal)
    elif suffix in _INSTRUMENT_SUFFIXES:
        sections = []
    else:
        lines = re.split(r"\r\n|\r|\n", decoded(data))[skip:]
        sections = section_of_reptate(suffix, lines) if is_reptate(suffix, lines) else []
        sections = sections or _of_lines(lines, delimiter, decimal)
    return [_printable(section) for section in _of_points(sections)]


def _of_points(sections: Sequence[Section]) -> list[Section]:
    """Return the sections without rows that are no points; those of such rows only are none."""
    found: list[Section] = []
    for section in sections:
        cleared = without_summaries(section)
        if section.rows and not cleared.rows and found:
            found[-1] = replace(found[-1], notes=(*found[-1].notes, *cleared.notes))
        else:
            found.append(cleared)
    return found


def _printable(section: Section) -> Section:
    return replace(
        section,
        title=_name(section.title),
        header=[_name(cell) for cell in section.header],
        units=[_name(cell) for cell in section.units],
        unread=[_name(cell) for cell in section.unread],
        notes=tuple(map(printable, section.notes)),
    )


def _name(text: str) -> str:
    """Return a name that a message may contain: printable, and not the whole of a damaged file."""
    return shortened(printable(text), _LONGEST_NAME)


def _of_sheets(
    sheets: Sequence[tuple[str, Sequence[Sequence[object]]]], skip: int, decimal: str
) -> list[Section]:
    sections: list[Section] = []
    for title, cells in sheets:
        grid, notes = as_texts(cells[skip:], decimal)
        found = _of_grid(grid, NumberStyle(), title=title)
        if not found and re.search(r" - \d+$", title):  # TRIOS numbers its steps so
            header, units = header_of(grid, NumberStyle())
            found = [Section(title, header, units, [], NumberStyle())]
        sections += _noted(found, notes)
    return sections


def _of_lines(lines: list[str], delimiter: str, decimal: str) -> list[Section]:
    if "[Step]" in lines and any(line.startswith("Variables\t") for line in lines):
        return _lims(lines, decimal)
    found = delimiter_of(lines, delimiter, decimal)
    if found is None:
        return []
    delimiter = found
    grid, remarks = split_lines(lines, delimiter)
    style, note = decided(grid, delimiter, decimal)
    strict = delimiter == " "
    firm = [cells for cells, line in zip(grid, lines, strict=True) if strict and tabbed(line)]
    sections = _of_grid(grid, style, remarks=remarks, strict=strict, firm=firm)
    return _noted(sections, (note,) if note else ())


def _noted(sections: Sequence[Section], notes: tuple[str, ...]) -> list[Section]:
    return [replace(section, notes=(*section.notes, *notes)) for section in sections]


def _of_grid(
    grid: Sequence[list[str]],
    style: NumberStyle,
    *,
    title: str = "",
    remarks: set[int] | frozenset[int] = frozenset(),
    strict: bool = False,
    firm: Sequence[list[str]] = (),
) -> list[Section]:
    """Find the tables of a grid; those of an instrument's steps, one for each of its steps."""
    blocks = blocks_of(grid)
    if not blocks:
        return tables_of(grid, style, title=title, remarks=remarks, strict=strict, firm=firm)
    sections: list[Section] = []
    for block in blocks:
        sections += _of_block(grid, block, style, strict=strict, firm=firm)
    return sections


def _of_block(
    grid: Sequence[list[str]],
    block: Block,
    style: NumberStyle,
    *,
    strict: bool,
    firm: Sequence[list[str]],
) -> list[Section]:
    """Return the tables of one step; one without rows if it has no points."""
    rows = [[] if _is_invalid(row) else row for row in grid[block.start : block.stop]]
    invalid = sum(map(_is_invalid, grid[block.start : block.stop]))
    notes = (f"{invalid} points without values, marked as invalid, left out",) if invalid else ()
    found = tables_of(rows, style, title=block.title, strict=strict, firm=firm)
    if not found:
        header, units = header_of(rows, style)
        return [Section(block.title, header, units, [], style, notes=notes)]
    # Instruments part long tables by blank lines only if they hold several curves.
    named = [replace(section, title=block.title) for section in found]
    return [replace(named[0], notes=(*notes, *named[0].notes)), *named[1:]]


def _is_invalid(row: Sequence[str]) -> bool:
    """Whether a row is a point that the instrument calls invalid: ``3  (invalide)``."""
    filled = [cell for cell in row if cell]
    return len(filled) == 1 and re.fullmatch(r"\d+\s*\([^\d)]+\)", filled[0]) is not None


def _lims(lines: list[str], decimal: str) -> list[Section]:
    """Read the steps of a TA Instruments LIMS export."""
    sections: list[Section] = []
    for block in "\n".join(lines).split("\n[Step]\n")[1:]:
        fields: dict[str, list[str]] = {}
        rows: list[list[str]] = []
        for line in block.split("\n"):
            key, *cells = (cell.strip() for cell in line.split("\t"))
            if key == "Data point":
                rows.append(cells)
            else:
                fields.setdefault(key, cells)
        title = " ".join(fields.get("Step name", []))
        header, units = fields.get("Variables", []), fields.get("Units", [])
        sections.append(Section(title, header, units, rows if header else [], NumberStyle()))
    if not any(section.rows for section in sections):
        return []
    style, note = decided((row for s in sections for row in s.rows), "\t", decimal)
    return _noted([replace(s, style=style) for s in sections], (note,) if note else ())
