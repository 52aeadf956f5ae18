"""Decide by all cells of a file whether commas or points are its decimal sign."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.formats.text_dialect import (
    NumberStyle,
    is_missing,
    is_number,
    is_row,
)
from rheojobs.inference.data.reading.options import DECIMAL_MARKS

__all__ = ["decided"]

_WORDS = {",": "comma", ".": "point"}
_ONE_GROUP = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}[{mark}]\d{{3}}") for mark in DECIMAL_MARKS}
_INTEGER = re.compile(r"[+-]?\d+")


@dataclass
class _Evidence:
    """What the numbers of a file show for a mark as decimal sign.

    `sure` are cells that only this decimal sign explains, such as ``"0,5"`` for the comma;
    `open` are cells such as ``"12,500"``, whose mark may separate thousands too.
    """

    mark: str
    sure: int = 0
    example: str = ""
    open: list[tuple[int, str]] = field(default_factory=list)
    integers: dict[int, int] = field(default_factory=dict)

    @property
    def groups_by_column(self) -> bool:
        """Whether a column shows that the mark separates thousands.

        It has numbers below 1000 without the mark beside numbers such as ``"12,500"``, whose
        last zero no program writes behind a decimal sign when it writes ``"310"`` for 310,000.
        """
        columns = {column for column, text in self.open if text.endswith("0")}
        return any(0 < self.integers.get(column, 0) < 1000 for column in columns)


def decided(
    rows: Iterable[Sequence[str]], delimiter: str = "", decimal: str = ""
) -> tuple[NumberStyle, str]:
    """Return the style of the numbers among cells, and a note if it is not beyond doubt.

    Parameters
    ----------
    rows : iterable of sequence of str
        All lines of the file, cut into cells; those that are no rows of numbers do not count.
    delimiter : str
        What separates the cells, if anything does.
    decimal : str
        The decimal mark, if the user has named it; the other one then separates thousands.

    Raises
    ------
    InputError
        If the cells leave it open: the message says how to name it.
    """
    if decimal:
        return NumberStyle(decimal, grouped=True), ""
    rows = list(rows)
    if _has_only_points(rows):
        return NumberStyle("."), ""
    comma, point = _evidence(rows)
    if comma.sure and point.sure:
        main, other = (comma, point) if comma.sure > point.sure else (point, comma)
        note = (
            f"numbers with a decimal {_WORDS[main.mark]}, such as {main.example!r}, stand beside "
            f"others with a decimal {_WORDS[other.mark]}, such as {other.example!r}, which are "
            "not read; the option decimal chooses"
        )
        return NumberStyle(main.mark), note
    for main, other in ((comma, point), (point, comma)):
        if main.sure:
            text = other.open[0][1] if other.open else ""
            return NumberStyle(main.mark, grouped=True), _grouped_note(text, main) if text else ""
    if comma.open and point.open:
        raise _left_open(comma)
    if comma.open:
        return _of_open_commas(comma, delimiter)
    if point.groups_by_column:
        if delimiter != ";":
            raise _left_open(point)
        return NumberStyle(",", grouped=True), _open_note(point, "separates thousands")
    doubt = _open_note(point, "is the decimal sign") if point.open and delimiter == ";" else ""
    return NumberStyle("."), doubt


def _of_open_commas(comma: _Evidence, delimiter: str) -> tuple[NumberStyle, str]:
    """Decide where all marks are commas before three digits."""
    groups = comma.groups_by_column
    if groups and delimiter != ";":
        text = next(text for _, text in comma.open if text.endswith("0"))
        value = NumberStyle(".", grouped=True).number(text)
        words = f"{text!r} read as {value:.10g}: smaller numbers of its column have no comma"
        return NumberStyle(".", grouped=True), words
    if delimiter == ",":
        return NumberStyle(".", grouped=True), _open_note(comma, "separates thousands")
    if delimiter == ";" and not groups:
        return NumberStyle(","), _open_note(comma, "is the decimal sign")
    raise _left_open(comma)


def _has_only_points(rows: Sequence[Sequence[str]]) -> bool:
    """Whether no number has a comma and one shows the decimal point: true of most files."""
    style = NumberStyle(".")
    if any("," in cell and not re.search(r"[^\d\s.,eE+'’−-]", cell) for r in rows for cell in r):
        return False
    return any(
        cell.count(".") == 1 and style.count([cell]) and not _ONE_GROUP["."].fullmatch(cell)
        for cells in rows
        if is_row(style.count(cells), sum(map(bool, cells)))
        for cell in cells
    )


def _evidence(rows: Iterable[Sequence[str]]) -> tuple[_Evidence, _Evidence]:
    comma, point = _Evidence(","), _Evidence(".")
    for cells in rows:
        are_numbers = list(map(is_number, cells))
        numbers = sum(are_numbers)
        lacks_all_others = (
            numbers and len(cells) > 1 and sum(map(is_missing, cells)) >= len(cells) - 1
        )
        if not (is_row(numbers, sum(map(bool, cells))) or lacks_all_others):
            continue
        for column, (cell, is_one) in enumerate(zip(cells, are_numbers, strict=True)):
            text = cell.strip().replace("−", "-")
            if _INTEGER.fullmatch(text):
                for mine in (comma, point):
                    largest = mine.integers.get(column, 0)
                    mine.integers[column] = max(largest, abs(int(text[:20])))
                continue
            for mine, other in ((comma, point), (point, comma)):
                if mine.mark not in text:
                    continue
                if _ONE_GROUP[mine.mark].fullmatch(text):
                    mine.open.append((column, text))
                elif not is_one:
                    continue
                elif text.count(mine.mark) == 1 and _last_mark(text) == mine.mark:
                    mine.sure, mine.example = mine.sure + 1, mine.example or text
                elif other.mark not in text:  # 1,234,567
                    other.sure, other.example = other.sure + 1, other.example or text
    return comma, point


def _last_mark(text: str) -> str:
    return text[max(text.rfind(","), text.rfind("."))]


def _grouped_note(text: str, main: _Evidence) -> str:
    value = NumberStyle(main.mark, grouped=True).number(text)
    return f"{text!r} read as {value:.10g}: {main.example!r} shows the decimal {_WORDS[main.mark]}"


def _open_note(mine: _Evidence, role: str) -> str:
    return (
        f"taken for granted that the {_WORDS[mine.mark]} {role} in {mine.open[0][1]!r} and the "
        "like; the option decimal says otherwise"
    )


def _left_open(mine: _Evidence) -> InputError:
    return InputError(
        f"the {_WORDS[mine.mark]} in {mine.open[0][1]!r} may be the decimal sign or separate "
        "thousands, and no other number shows which: name the decimal sign with {decimal}, '.' "
        "or ','",
        options=("decimal",),
    )
