"""Tables of text out of the bytes of a file: delimited text, Excel, TA Instruments' LIMS export.

Knows encodings, dialects and layouts; must not know what is fitted to the numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, nearest
from rheojobs.inference.columns import quantity_of, recognise
from rheojobs.inference.units import parse_unit

__all__ = ["Column", "Section", "columns_of", "listed", "named_column", "sections_of"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMENT = re.compile(r"\s*(#|//|%)+(?!\s*[;,|\t])\s*")
_MISSING = {"", "-", "--", "---", "nan", "n/a", "na", "#n/a", "null", "none", "*", "?", "inf"}
_INSTRUMENT_SUFFIXES = {".json", ".xml", ".rdf", ".xls", ".iwp", ".tri"}


@dataclass(frozen=True)
class Section:
    """One table of a file: the cells as text; `header` is empty where there was none."""

    title: str
    header: list[str]
    units: list[str]
    rows: list[list[str]]
    decimal: str


def sections_of(data: bytes, suffix: str) -> list[Section]:
    if data.startswith(b"PK\x03\x04"):
        return _excel(data)
    if suffix in _INSTRUMENT_SUFFIXES:
        return []
    text = _decode(data)
    lines = re.split(r"\r\n|\r|\n", text)
    if "[Step]" in lines and any(line.startswith("Variables\t") for line in lines):
        return _lims(lines)
    return _delimited(lines)


def _decode(data: bytes) -> str:
    """Turn bytes into text; files name no encoding, so their bytes must tell it."""
    encodings = ["utf-8-sig", "cp1252", "latin-1"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data[:2000]:
        # UTF-16 without a mark: text of the field is nearly ASCII, so every other byte is zero.
        encodings = [
            "utf-16-be" if data[:2000:2].count(0) > data[1:2000:2].count(0) else "utf-16-le"
        ]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = sum(unicodedata.category(c) in ("Cc", "Cn", "Co") for c in text[:20000])
        if controls - len(re.findall(r"[\t\r\n\f\v]", text[:20000])) <= len(text[:20000]) / 100:
            return text
    raise InputError("not a text table: the file holds binary data")


def number_in(cell: str, decimal: str) -> float:
    """Read a number; NaN for anything else."""
    text = cell.strip().replace("−", "-")
    if decimal == ",":
        text = text.replace(".", "x").replace(",", ".")
    text = re.sub("(?<=[0-9.])[dD](?=[+-]?[0-9])", "e", text)  # Fortran's 1.0D+05
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else math.nan


def _count(cells: Iterable[str], decimal: str) -> int:
    return sum(not math.isnan(number_in(cell, decimal)) for cell in cells)


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter != " ":
        if delimiter == "|" and re.fullmatch(r"\s*\|.*\|\s*", line):
            line = line.strip()[1:-1]  # Markdown's outer bars
        try:
            return [c.strip() for c in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            return [c.strip() for c in line.split(delimiter)]
    cells = line.split()
    if any(_count(cells, decimal) for decimal in ".,"):
        return cells
    # Names hold spaces: columns are then two spaces apart, or each name ends with its unit.
    wide = re.split(r"\s{2,}|\t", line.strip())
    if 2 <= len(wide) < len(cells):
        return wide
    return re.findall(r"(?:[^\s\[(]|\[[^\]]*\]?|\([^)]*\)?)+", re.sub(r"\s+(?=[\[(])", "", line))


def _delimited(lines: list[str]) -> list[Section]:
    """Find delimiter and decimal mark, those that turn most cells into numbers, and split."""
    sample = [line for line in lines if line.strip()]
    sample = sample[:: max(1, len(sample) // 500)]
    best, delimiter, decimal = 0.0, "", ""
    for candidate in "\t;|, ":
        split = [_split(line, candidate) for line in sample]
        for mark in ".,":
            counts = [(_count(cells, mark), sum(map(bool, cells))) for cells in split]
            score = sum(count / filled for count, filled in counts if _is_row(count, filled))
            if score > best:
                best, delimiter, decimal = score, candidate, mark
    if not delimiter:
        return []
    remarks = {i for i, line in enumerate(lines) if _COMMENT.match(line)}
    grid = [
        _split(_COMMENT.sub("", s, 1) if i in remarks else s, delimiter)
        for i, s in enumerate(lines)
    ]
    return _tables(grid, decimal, remarks=remarks, strict=delimiter == " ")


def _tables(
    grid: Sequence[list[str]],
    decimal: str,
    *,
    title: str = "",
    remarks: Iterable[int] = (),
    strict: bool = False,
) -> list[Section]:
    """Cut a grid of cells into its tables: runs of rows of numbers, each under its header.

    `remarks` are the rows that stood behind a comment mark; with `strict`, a header must have as
    many cells as the rows, since its names may have been split at their spaces.
    """
    remarks = set(remarks)
    found: list[Section] = []
    above: list[list[str]] = []  # the rows of text since the last table
    remark: list[str] = []
    rows: list[list[str]] = []
    blanks = 0

    def close() -> None:
        nonlocal rows, above, remark
        if rows:
            header, units = _header(above, remark, rows, strict)
            if not header and found:  # a title or a gap alone goes on under the header before
                header, units = found[-1].header, found[-1].units
            label = next((row[0] for row in reversed(above) if sum(map(bool, row)) == 1), title)
            found.append(Section(label or title, header, units, rows, decimal))
            rows, above, remark = [], [], []

    for index, cells in enumerate(grid):
        filled = sum(map(bool, cells))
        if not filled:
            blanks += 1
        elif index in remarks:
            remark = cells if filled > 1 else remark
        elif (is_row := _is_row(numbers := _count(cells, decimal), filled)) or (
            rows and _is_gap(cells, rows, numbers)
        ):
            if blanks >= 2 and is_row:
                close()  # gnuplot's separator of data sets
            rows.append(cells)
            blanks = 0
        else:
            close()
            above.append(cells)
            blanks = 0
    close()
    named = [s for s in found if _recognised(s.header) >= 2]
    # Lines of a preamble may hold two numbers too: keep the tables that look like the largest.
    width = len(max(found, key=lambda s: len(s.rows)).rows[0]) if found else 0
    return named or [s for s in found if len(s.rows[0]) == width]


def _is_row(numbers: int, filled: int) -> bool:
    # Prose may hold two numbers; a row of a table is mostly numbers.
    return numbers >= 2 and 2 * numbers >= filled


def _is_gap(cells: list[str], rows: list[list[str]], numbers: int) -> bool:
    """Whether a row within a table is one of its rows, with values missing."""
    if numbers or all(cell.casefold() in _MISSING for cell in cells):
        return True
    several = sum(map(bool, cells)) >= 2 and len(cells) == len(rows[-1])
    return several and not _recognised(cells)


def _header(
    above: list[list[str]], remark: list[str], rows: list[list[str]], strict: bool
) -> tuple[list[str], list[str]]:
    """Find the names and the units of the columns in the rows of text above a table."""
    candidates = [row for row in above if not all(c.casefold() in _MISSING for c in row)][-2:]
    candidates = [row for row in candidates if sum(map(bool, row)) >= 2]
    units: list[str] = []
    if len(candidates) == 2 and all(_is_unit(cell) for cell in candidates[1]):
        units = candidates.pop()
    width = len(rows[0])
    options = [row for row in candidates[-1:] if not strict or len(row) == width]
    if len(remark) == width and _recognised(remark):  # NumPy's savetxt comments its header
        options.append(remark)
    return max(options, key=_recognised, default=[]), units if options else []


def _recognised(cells: Iterable[str]) -> int:
    return sum(bool(recognise(cell)[0]) for cell in cells)


def _is_unit(cell: str) -> bool:
    return re.fullmatch(r"\[.*\]|\(.*\)", cell) is not None or parse_unit(cell) is not None


def _lims(lines: list[str]) -> list[Section]:
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
            totals = {mark: sum(_count(row, mark) for row in rows) for mark in ".,"}
            decimal = "." if totals["."] >= totals[","] else ","
            sections.append(Section(title, header, units, rows, decimal))
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
            marks = {mark: sum(_count(row, mark) for row in grid) for mark in ".,"}
            decimal = "." if marks["."] >= marks[","] else ","
            sections += _tables(grid, decimal, title=sheet.title)
        book.close()
    except Exception as error:  # a damaged workbook fails anywhere in zip, XML or openpyxl
        raise InputError(f"not a readable Excel workbook ({error}): save it as .xlsx") from error
    return sections


@dataclass(frozen=True)
class Column:
    """A column as numbers, NaN where there is none, and what its header says it is."""

    label: str
    number: int
    quantity: str
    unit: str
    rank: int
    values: NDArray[np.float64]


def columns_of(section: Section) -> list[Column]:
    """Turn the cells of a section into columns of numbers, NaN where there is none."""
    width = Counter(len(row) for row in section.rows).most_common(1)[0][0]
    width = max(width, len(section.header))
    blank = [""] * width
    numbers = np.array(
        [[number_in(c, section.decimal) for c in (row + blank)[:width]] for row in section.rows]
    )
    columns = []
    for index in range(width):
        label = (section.header + blank)[index]
        unit = (section.units + blank)[index]
        recognised = recognise(label, unit)
        columns.append(Column(label, index + 1, *recognised, numbers[:, index]))
    return columns


def listed(columns: Iterable[Column]) -> str:
    names = [column.label or f"number {column.number}" for column in columns]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def named_column(wanted: str | int | None, columns: list[Column]) -> Column | None:
    """Find the column that the user has named or numbered."""
    if wanted is None:
        return None
    text = str(wanted).strip()
    quantity, _ = quantity_of(text)
    for found in (
        [c for c in columns if c.label == text],
        [c for c in columns if c.label.casefold() == text.casefold()],
        [c for c in columns if _bare(c.label) == text.casefold()],
        [c for c in columns if c.quantity and c.quantity == quantity],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(c.number) for c in found)
            raise InputError(f"column {text!r} is ambiguous: give its number, one of {numbers}")
    if text.isdecimal():
        if 1 <= int(text) <= len(columns):
            return columns[int(text) - 1]
        raise InputError(f"there is no column {text}: the file has {len(columns)}, from 1")
    hint = nearest(text, (c.label for c in columns if c.label))
    raise InputError(f"there is no column {text!r}: {hint}")


def _bare(label: str) -> str:
    return re.sub(r"\s*([\[(].*|/.*)$", "", label).casefold()
