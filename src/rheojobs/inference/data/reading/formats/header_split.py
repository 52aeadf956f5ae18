"""Split the names of a table that are parted by another delimiter than its rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.options import DELIMITERS

__all__ = ["fitted", "refuse_numbers_without_name", "split_otherwise", "tabbed"]

_MOST_WITHOUT_COLUMN = 6
_WIDE = "  "  # two blanks or more


def tabbed(line: str) -> bool:
    """Whether a line among rows parted by blanks is parted by tabs, so that names keep theirs."""
    return "\t" in line.strip() and re.match(r"\s*[+-]?[.,]?\d", line) is None


def split_otherwise(
    texts: Sequence[list[str]], width: int, known: Callable[[Sequence[str]], int]
) -> list[list[str]]:
    """Split rows of text that one delimiter leaves whole by another, if that shows names.

    Parameters
    ----------
    texts : sequence of list of str
        The rows of text above a table, cut at the delimiter of its rows.
    width : int
        The number of its columns.
    known : callable
        Counts the names of quantities among cells.

    Returns
    -------
    list of list of str
        The same rows; those below the names are split as these.
    """
    if any(known(row) >= 2 for row in texts):
        return list(texts)
    for position, row in enumerate(texts):
        line = " ".join(filter(None, row))
        for delimiter in (*DELIMITERS[:-1], _WIDE, " "):
            cells = _cells(line, delimiter)
            # Blanks part the words of a name too: then the count must be right.
            more = 0 if delimiter == " " else _MOST_WITHOUT_COLUMN
            if width <= len(cells) <= width + more and known(cells) >= 2:
                below = [
                    _cells(" ".join(filter(None, r)), delimiter) for r in texts[position + 1 :]
                ]
                rows = [
                    new if len(new) == len(cells) else old
                    for new, old in zip(below, texts[position + 1 :], strict=True)
                ]
                return [*texts[:position], cells, *rows]
    return list(texts)


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        # A blank before a bracket stands between a name and its unit.
        return re.findall(r"(?:[^ \[(]|\[[^\]]*\]?|\([^)]*\)?)+", re.sub(r" (?=[\[(])", "", line))
    if delimiter == _WIDE:
        return re.split(r" {2,}", line.strip())
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return [cell.strip() for cell in line.split(delimiter)]


def refuse_numbers_without_name(section: Section) -> None:
    """Raise `InputError` if most rows have more numbers than there are names.

    The names may then belong to other columns, as those of R beside a column of row names; and
    commas that part the columns may be decimal signs or separate thousands as well.
    """
    width, rows = len(section.header), section.rows
    longer = [row for row in rows if any(section.style.count([c]) for c in row[width:])]
    if width and 2 * len(longer) > len(rows):
        raise InputError(
            f"{width} names stand over {len(longer[0])} columns, as in {longer[0][:6]}: name "
            "all columns in the file, or choose them by number with {x} and {y}; if the commas of "
            "numbers part them too, put these numbers in quotation marks",
            options=("x", "y"),
        )


def fitted(header: list[str], width: int) -> tuple[list[str], str]:
    """Cut a header to the columns of its table; return it with a note on names without one."""
    if len(header) <= width:
        return header, ""
    lacking = ", ".join(repr(name) for name in header[width:])
    return header[:width], (
        f"{len(header)} names stand over {width} columns: taken in their order, so that "
        f"{lacking} {'has' if len(header) == width + 1 else 'have'} none"
    )
