"""Find the tables in a file's bytes: delimited text, Excel, TA Instruments' LIMS export."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.decimal_sign import decided
from rheojobs.inference.data.reading.header_split import fitted, split_otherwise, tabbed
from rheojobs.inference.data.reading.headers import is_step_number, recognise
from rheojobs.inference.data.reading.sheet_texts import as_texts
from rheojobs.inference.data.reading.text_dialect import (
    NumberStyle,
    decoded,
    delimiter_of,
    is_missing,
    is_row,
    printable,
    split_lines,
)
from rheojobs.inference.data.reading.unit_rows import UnitRows, are_units, unit_rows

__all__ = ["Section", "sections_of"]

_INSTRUMENT_SUFFIXES = {".json", ".xml", ".rdf", ".iwp", ".tri"}


@dataclass(frozen=True)
class Section:
    """One table of a file: the cells as text; `header` is empty if there was none.

    `units` and `unread` hold, for each name, its unit and the text around it that is none.
    """

    title: str
    header: list[str]
    units: list[str]
    rows: list[list[str]]
    style: NumberStyle
    unread: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def sections_of(data: bytes, suffix: str, delimiter: str = "", decimal: str = "") -> list[Section]:
    """Find the tables in the bytes of a file; none if they are in an instrument's own format.

    The delimiter and the decimal mark of a text are detected if they are not given.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("a workbook of Excel before 2007: save it as .xlsx or as CSV")
    if data.startswith(b"PK\x03\x04"):
        sections = _by_step(_excel(data, decimal))
    elif suffix in _INSTRUMENT_SUFFIXES:
        sections = []
    else:
        sections = _of_text(decoded(data), delimiter, decimal)
    return [
        replace(
            section,
            title=printable(section.title),
            header=[printable(cell) for cell in section.header],
            units=[printable(cell) for cell in section.units],
            unread=[printable(cell) for cell in section.unread],
            notes=tuple(map(printable, section.notes)),
        )
        for section in sections
    ]


def _of_text(text: str, delimiter: str, decimal: str) -> list[Section]:
    lines = re.split(r"\r\n|\r|\n", text)
    if "[Step]" in lines and any(line.startswith("Variables\t") for line in lines):
        return _lims(lines, decimal)
    return _by_step(_delimited(lines, delimiter, decimal))


def _delimited(lines: list[str], delimiter: str, decimal: str) -> list[Section]:
    found = delimiter_of(lines, delimiter, decimal)
    if found is None:
        return []
    delimiter = found
    grid, remarks = split_lines(lines, delimiter)
    style, note = decided(grid, delimiter, decimal)
    strict = delimiter == " "
    firm = [cells for cells, line in zip(grid, lines, strict=True) if strict and tabbed(line)]
    sections = _tables(grid, style, remarks=remarks, strict=strict, firm=firm)
    return [replace(s, notes=(*s.notes, note)) if note else s for s in sections]


def _tables(
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
    blanks = 0

    def close() -> None:
        nonlocal rows, above, commented
        if rows:
            section = _section(above, commented, rows, style, strict, title, firm)
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
            numbers = max(numbers, NumberStyle.either(cells))
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
    named = [s for s in found if _recognised(s.header) >= 2]
    # Lines of a preamble may hold two numbers too: keep the tables similar to the largest.
    width = len(max(found, key=lambda s: len(s.rows)).rows[0]) if found else 0
    return named or [s for s in found if len(s.rows[0]) == width]


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
    alternative, other_units = _header(fitting, style, width, texts, firm)
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
    if header in firm:
        header, note = fitted(header, width)
        notes = (note,) if note else ()
    return Section(alone or pair, header, found, [*gaps, *rows], style, unread, notes)


def _lacks_values(cells: list[str], row: list[str], style: NumberStyle) -> bool:
    """Whether cells are a row of numbers like `row`, except for missing values."""
    if len(cells) != len(row) or not style.count(cells):
        return False
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
    position, header = known
    return header, unit_rows(texts[:position], header, texts[position + 1 :], remarks)


def _recognised(cells: Sequence[str]) -> int:
    return sum(bool(recognise(cell)[0]) for cell in cells)


def _by_step(sections: list[Section]) -> list[Section]:
    """Split sections at the numbers in a column named step, interval or similar."""
    parts: list[Section] = []
    for section in sections:
        column = next((i for i, name in enumerate(section.header) if is_step_number(name)), None)
        runs: dict[str, list[list[str]]] = {}
        for row in section.rows:
            key = row[column] if column is not None and column < len(row) else ""
            runs.setdefault(key, []).append(row)
        if column is None or len(runs) < 2 or min(map(len, runs.values())) < 2:
            parts.append(section)
            continue
        for key, rows in runs.items():
            parts.append(replace(section, title=f"{section.header[column]} {key}", rows=rows))
    return parts


def _lims(lines: list[str], decimal: str) -> list[Section]:
    """Read the steps of a TA Instruments LIMS export that hold points."""
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
        if rows and header:
            sections.append(Section(title, header, units, rows, NumberStyle()))
    style, note = decided((row for s in sections for row in s.rows), "\t", decimal)
    return [replace(s, style=style, notes=(note,) if note else ()) for s in sections]


def _excel(data: bytes, decimal: str) -> list[Section]:
    """Read the tables of all sheets of a workbook."""
    import openpyxl

    sections: list[Section] = []
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # some programs write a wrong size, and rows would be lost
            grid, notes = as_texts(sheet.iter_rows(values_only=True), decimal)
            tables = _tables(grid, NumberStyle(), title=sheet.title)
            sections += [replace(s, notes=(*s.notes, *notes)) for s in tables]
        book.close()
    except InputError:
        raise
    except Exception as error:  # a damaged workbook fails anywhere in zip, XML or openpyxl
        raise InputError(f"not a readable Excel workbook ({error}): save it as .xlsx") from error
    return sections
