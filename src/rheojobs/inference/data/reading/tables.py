"""Find the tables in a file's bytes: delimited text, Excel, TA Instruments' LIMS export."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.headers import is_step_number, recognise
from rheojobs.inference.data.reading.text_dialect import (
    NumberStyle,
    decoded,
    dialect_of,
    is_missing,
    is_row,
    printable,
    split_lines,
)
from rheojobs.inference.data.units import parse_unit

__all__ = ["Section", "sections_of"]

_INSTRUMENT_SUFFIXES = {".json", ".xml", ".rdf", ".iwp", ".tri"}


@dataclass(frozen=True)
class Section:
    """One table of a file: the cells as text; `header` is empty if there was none."""

    title: str
    header: list[str]
    units: list[str]
    rows: list[list[str]]
    style: NumberStyle


def sections_of(data: bytes, suffix: str, delimiter: str = "", decimal: str = "") -> list[Section]:
    """Find the tables in the bytes of a file; none if they are in an instrument's own format.

    The delimiter and the decimal mark of a text are detected if they are not given.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("a workbook of Excel before 2007: save it as .xlsx or as CSV")
    if data.startswith(b"PK\x03\x04"):
        sections = _by_step(_excel(data))
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
        )
        for section in sections
    ]


def _of_text(text: str, delimiter: str, decimal: str) -> list[Section]:
    lines = re.split(r"\r\n|\r|\n", text)
    if "[Step]" in lines and any(line.startswith("Variables\t") for line in lines):
        return _lims(lines, decimal)
    return _by_step(_delimited(lines, delimiter, decimal))


def _delimited(lines: list[str], delimiter: str, decimal: str) -> list[Section]:
    dialect = dialect_of(lines, delimiter, decimal)
    if dialect is None:
        return []
    delimiter, style = dialect
    grid, remarks = split_lines(lines, delimiter)
    return _tables(grid, style, remarks=remarks, strict=delimiter == " ")


def _tables(
    grid: Sequence[list[str]],
    style: NumberStyle,
    *,
    title: str = "",
    remarks: Collection[int] = (),
    strict: bool = False,
) -> list[Section]:
    """Split a grid of cells into its tables: runs of rows of numbers, each under its header.

    `remarks` are the rows behind a comment mark; with `strict`, a header must have as many cells
    as the rows, since its names may have been split at their spaces.
    """
    found: list[Section] = []
    above: list[list[str]] = []  # the rows of text since the last table
    commented: list[list[str]] = []
    rows: list[list[str]] = []
    blanks = 0

    def close() -> None:
        nonlocal rows, above, commented
        if rows:
            section = _section(above, commented, rows, style, strict, title)
            if not section.header and found:
                # After only a title or a gap, the previous header still applies.
                section = replace(section, header=found[-1].header, units=found[-1].units)
            found.append(section)
            rows, above, commented = [], [], []

    for index, cells in enumerate(grid):
        filled = sum(map(bool, cells))
        numbers = style.count(cells)
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
) -> Section:
    """Make a section of rows of numbers and of the rows above them."""
    width = len(rows[0])
    texts = [row for row in above if not all(map(is_missing, row))]
    gaps: list[list[str]] = []  # a table may begin with rows that lack values
    while texts and _lacks_values(texts[-1], rows[0], style):
        gaps.insert(0, texts.pop())
    fitting = [row for row in commented if len(row) == width]  # NumPy's savetxt comments its header
    header, units = _header(texts, style, width if strict else 0)
    alternative, other_units = _header(fitting, style, width)
    if _recognised(alternative) > _recognised(header):
        header, units = alternative, units or other_units
    if header and header[0].endswith(":") and len(header) > width and rows[0][0]:
        # RheoCompass writes "Interval data:" before the names; some rows have no cell under it.
        header, units = header[1:], units[1:]
    heads = [list(filter(None, row)) for row in texts if row not in (header, units)]
    alone = next((head[0] for head in reversed(heads) if len(head) == 1), title)
    pair = next((" ".join(head) for head in reversed(heads) if len(head) == 2), "")
    return Section(alone or pair, header, units, [*gaps, *rows], style)


def _lacks_values(cells: list[str], row: list[str], style: NumberStyle) -> bool:
    """Whether cells are a row of numbers like `row`, except for missing values."""
    if len(cells) != len(row) or not style.count(cells):
        return False
    return all(
        is_missing(cell) or style.count([cell]) or not style.count([below])
        for cell, below in zip(cells, row, strict=True)
    )


def _header(texts: list[list[str]], style: NumberStyle, width: int) -> tuple[list[str], list[str]]:
    """Return the names and units found among rows of text.

    A row of known names is preferred; else the last row with several cells is taken.
    """
    several = [(i, r) for i, r in enumerate(texts) if sum(map(bool, r)) >= 2]
    names = [(i, r) for i, r in several if not width or len(r) == width]
    known = max(names, key=lambda pair: (_recognised(pair[1]), pair[0]), default=None)
    if known is None:
        return [], []
    if _recognised(known[1]) == 0:
        # A title with a number in it, "Temperature 150", names no columns.
        names = [(i, r) for i, r in names[-2:] if i >= len(texts) - 2 and not style.count(r)]
        if not names:
            return [], []
        known = next((pair for pair in reversed(names) if not _are_units(pair[1])), names[-1])
    position, header = known
    below = texts[position + 1] if position + 1 < len(texts) else []
    if below and _are_units(below):
        return header, below
    return header, []


def _recognised(cells: Sequence[str]) -> int:
    return sum(bool(recognise(cell)[0]) for cell in cells)


def _are_units(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    units = [cell for cell in filled if _is_unit(cell)]
    real = [unit for unit in units if unit not in ("1", "-")]
    return bool(real) and 2 * len(units) >= len(filled) and not _recognised(cells)


def _is_unit(cell: str) -> bool:
    return re.fullmatch(r"\[.*\]|\(.*\)", cell) is not None or parse_unit(cell) is not None


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
            sections.append(Section(title, header, units, rows, NumberStyle.of(rows, decimal)))
    return sections


def _excel(data: bytes) -> list[Section]:
    """Read the tables of all sheets of a workbook."""
    import openpyxl

    sections: list[Section] = []
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # some programs write a wrong size, and rows would be lost
            grid = [
                ["" if v is None else repr(v) if isinstance(v, float) else str(v) for v in row]
                for row in sheet.iter_rows(values_only=True)
            ]
            sections += _tables(grid, NumberStyle.of(grid), title=sheet.title)
        book.close()
    except Exception as error:  # a damaged workbook fails anywhere in zip, XML or openpyxl
        raise InputError(f"not a readable Excel workbook ({error}): save it as .xlsx") from error
    return sections
