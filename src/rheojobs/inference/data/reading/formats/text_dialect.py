"""Detect how a text file writes its table: encoding, delimiter, comment lines, its numbers."""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.options import DECIMAL_MARKS, DELIMITERS

__all__ = [
    "NumberStyle",
    "decoded",
    "delimiter_of",
    "is_missing",
    "is_number",
    "is_row",
    "split_lines",
]

LONGEST_LINE = 100_000
_LONGEST_HEADER = 5_000
_MISSING = {"", "-", "--", "---", "nan", "n/a", "na", "#n/a", "null", "none", "*", "?", "inf"}
_MISSING |= {"n.a.", "nd", "n.d.", "#div/0!", "#value!", "#num!", "#ref!", "-inf", "+inf", "…", "–"}
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_PLAIN = {
    # No two neighbours match the same digits, or a damaged cell of 50,000 would take minutes.
    mark: re.compile(rf"[+-]?(?:\d+(?:[{mark}]\d*)?|[{mark}]\d+){_EXPONENT}", re.ASCII)
    for mark in DECIMAL_MARKS
}
_FORTRAN = re.compile(r"(?<=[0-9.,])[dD](?=[+-]?[0-9])")  # 1.0D+05
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_TIMES_TEN = re.compile(
    r"([+-]?[\d.,]+)\s*[x×*·]\s*10(?:(?:\^|\*\*)\(?([+-]?\d{1,3})\)?|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))"
)
_SPACED = {  # 1 234,5 and 1'234.5
    mark: re.compile(
        rf"[+-]?[1-9]\d{{0,2}}([ \xa0\u202f\u2009'’])\d{{3}}(?:\1\d{{3}})*"
        rf"(?:[{mark}]\d*)?{_EXPONENT}",
        re.ASCII,
    )
    for mark in DECIMAL_MARKS
}
_GROUPED = {  # 1,234.5
    mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:[{other}]\d{{3}})+(?:[{mark}]\d*)?{_EXPONENT}")
    for mark, other in (".,", ",.")
}
_COMMENT = re.compile(r"\s*(#|//|%)+(?!\s*[;,|\t])\s*")
# Marks that may also begin a row count only before a word.
_COMMENT_WORDS = re.compile(r"\s*(?:!+\s*|REM\s+|'\s+|--\s+|\*+\s+|;+\s*)(?=[^\W\d_])")
_REMARK_BEHIND = re.compile(r"\s(?:#|//).*$")


@dataclass(frozen=True)
class NumberStyle:
    """How a file writes its numbers.

    Attributes
    ----------
    decimal : str
        ``"."`` or ``","``.
    grouped : bool
        Whether the other of the two separates thousands.
    """

    decimal: str = "."
    grouped: bool = False

    def number(self, cell: str) -> float:
        """Read a number; NaN for anything else."""
        is_plain = _PLAIN[self.decimal].fullmatch
        text = cell
        if not is_plain(text):
            text = _FORTRAN.sub("e", text.strip().replace("−", "-"))
            if power := _TIMES_TEN.fullmatch(text):  # 1.5×10³
                exponent = power[2] or power[3].translate(_SUPERSCRIPTS)
                text = f"{power[1]}e{exponent}"
            if not is_plain(text):
                if not self._is_grouped(text):
                    return math.nan
                text = re.sub(r"[ \xa0\u202f\u2009'’]", "", text)
                text = text.replace("," if self.decimal == "." else ".", "")
        value = float(text.replace(",", "."))
        return value if math.isfinite(value) else math.nan

    def count(self, cells: Iterable[str]) -> int:
        """Count the numbers among `cells`."""
        return sum(not math.isnan(self.number(cell)) for cell in cells)

    def _is_grouped(self, text: str) -> bool:
        if _SPACED[self.decimal].fullmatch(text):
            return True
        return self.grouped and _GROUPED[self.decimal].fullmatch(text) is not None

    def weight(self, cells: Iterable[str]) -> float:
        """Count the numbers; those with thousands separators count as a little less certain."""
        grouped = sum(1 for cell in cells if self._is_grouped(cell))
        return self.count(cells) - 0.05 * grouped


_POINT, _COMMA = (NumberStyle(mark, grouped=True) for mark in DECIMAL_MARKS)


def is_number(cell: str) -> bool:
    """Whether a cell is a number in one style or another."""
    likely, other = (_COMMA, _POINT) if "," in cell else (_POINT, _COMMA)
    return not (math.isnan(likely.number(cell)) and math.isnan(other.number(cell)))


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value."""
    return cell.casefold() in _MISSING


def decoded(data: bytes) -> str:
    """Decode bytes into text; the encoding is inferred from the bytes, since files name none."""
    encodings = ["utf-8-sig", "cp1252", "latin-1"]
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        encodings = ["utf-32", "utf-16"]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
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


def delimiter_of(lines: Sequence[str], delimiter: str = "", decimal: str = "") -> str | None:
    """Return the delimiter that turns most cells into numbers; None if none does.

    Parameters
    ----------
    lines : sequence of str
        Of a file.
    delimiter, decimal : str
        One of `DELIMITERS` and ``"."`` or ``","``, if the user has named it.

    Raises
    ------
    InputError
        If a line is longer than any table's.
    """
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise InputError(
                f"not a text table: line {number} has {len(line):,} characters; a table has a "
                "line for each row"
            )
    sample = [_without_remark(line) for line in lines if line.strip()]
    sample = sample[:: max(1, len(sample) // 500)]
    for is_mixed in (False, True):
        found = _likeliest(sample, delimiter, decimal, is_mixed=is_mixed)
        if found is not None:
            return found
    return None


def _likeliest(
    sample: Sequence[str], delimiter: str, decimal: str, *, is_mixed: bool
) -> str | None:
    """Return the delimiter that scores best; with `is_mixed`, styles of numbers may alternate."""
    best, found = 0.0, None
    for cut in (delimiter,) if delimiter else DELIMITERS:
        bared = _without_bars(sample) if cut == "|" else sample
        split = [_split(line, cut) for line in bared]
        for mark in (decimal,) if decimal else DECIMAL_MARKS:
            style = NumberStyle(mark, grouped=True)
            score = sum(
                _likeness(style, cells, is_mixed) * (0.5 if _has_stronger(line, cut) else 1.0)
                for line, cells in zip(sample, split, strict=True)
            )
            if score > best:
                best, found = score, cut
    return found


def _likeness(style: NumberStyle, cells: list[str], is_mixed: bool) -> float:
    """Return a score from 0 to 1 of how much cells look like a row of numbers."""
    filled = sum(map(bool, cells))
    if is_mixed:
        numbers = sum(map(is_number, cells))
        return numbers / filled if is_row(numbers, filled) else 0.0
    if is_row(style.count(cells), filled):
        # "1,0 ok 1,0" cut at its commas leaves "0 ok 1": digits in a text suggest a wrong cut.
        uncut = sum(
            1
            for c in cells
            if re.search(r"\d", c) and re.search(r"[\t;|, ]", c) and math.isnan(style.number(c))
        )
        return (style.weight(cells) - 0.5 * uncut) / filled
    # A row with only one number left, all others being missing.
    return 0.5 if len(cells) > 1 and filled == style.count(cells) == 1 else 0.0


def _has_stronger(line: str, delimiter: str) -> bool:
    # Commas and blanks stand within the cells of other delimiters too.
    return delimiter in ", " and any(mark in line for mark in "\t;|" if mark != delimiter)


def is_row(numbers: int, filled: int) -> bool:
    """Whether a line with so many numbers among its filled cells may be a row of a table."""
    # Prose may hold two numbers; a row of a table is mostly numbers.
    return numbers >= 2 and 2 * numbers >= filled


def split_lines(lines: Sequence[str], delimiter: str) -> tuple[list[list[str]], set[int]]:
    """Split lines into cells; return them and the indices of those behind comment marks."""
    grid: list[list[str]] = []
    remarks: set[int] = set()
    for index, line in enumerate(_without_bars(lines) if delimiter == "|" else lines):
        found = _COMMENT.match(line)
        if not found and not (delimiter == ";" and line.lstrip().startswith(";")):
            found = _COMMENT_WORDS.match(line)
        if found:
            remarks.add(index)
            line = line[found.end() :]
        grid.append(_split(_without_remark(line), delimiter))
    return grid, remarks


def _without_remark(line: str) -> str:
    """Cut off a remark behind a row of numbers."""
    if ("#" in line or "//" in line) and re.match(r"\s*[+-]?[.,]?\d", line):
        return _REMARK_BEHIND.sub("", line)
    return line


def _without_bars(lines: Sequence[str]) -> list[str]:
    """Remove the outer bars of a Markdown table, if all its lines have them."""
    barred = [line.strip() for line in lines if "|" in line]
    if all(line[0] == "|" == line[-1] for line in barred):
        return [line.strip()[1:-1] if "|" in line else line for line in lines]
    return list(lines)


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter != " ":
        try:
            return [c.strip() for c in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            return [c.strip() for c in line.split(delimiter)]
    cells = re.split(r"[ \t\f\v]+", line.strip())
    if any(NumberStyle(mark).count(cells) for mark in DECIMAL_MARKS):
        return cells
    # Names hold spaces: columns are then two spaces apart, or each name ends with its unit.
    wide = re.split(r"[ \t\f\v]{2,}|\t", line.strip())
    if 2 <= len(wide) <= len(cells):
        return wide
    head = line if len(line) < _LONGEST_HEADER else ""
    marked = [c.strip() for c in re.split(r"[,;|](?![^\[(]*[\])])", head)]
    if len(marked) >= 2 and all(marked) and not any(map(is_number, marked)):  # "t [s], G [kPa]"
        return marked
    if all(cell.startswith(("[", "(")) for cell in cells):
        return cells
    joined = re.sub(r" (?=[\[(])", "", " ".join(cells))
    return re.findall(r"(?:[^ \[(]|\[[^\]]*\]?|\([^)]*\)?)+", joined)
