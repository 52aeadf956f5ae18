"""Tables and lists as HTML, for reports and notebooks; every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_table", "html_warnings"]

WORDS = ("parameter", "unit", "")
"""Heads of columns that hold words; the others hold numbers."""

WARNING = "border-left:4px solid #e69f00;padding-left:.5rem;margin:.3rem 0"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; columns of numbers are aligned to the right.

    Parameters
    ----------
    head : sequence of str
        The heads of the columns; empty for a table without a head, whose cells are words.
    rows : iterable of sequence of str
        The cells.
    """
    lines = [_row("th", head, head)] if head else []
    lines += [_row("td", row, head or [""] * len(row)) for row in rows]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _row(tag: str, cells: Sequence[str], head: Sequence[str]) -> str:
    written = "".join(
        f"<{tag}{_kind(above)}>{escape(cell)}</{tag}>"
        for above, cell in zip(head, cells, strict=True)
    )
    return f"<tr>{written}</tr>"


def _kind(head: str) -> str:
    # Jupyter aligns all cells to the right unless they say otherwise.
    if head in WORDS:
        return ' style="text-align:left"'
    return ' class="number" style="text-align:right"'


def html_warnings(lines: Iterable[str]) -> str:
    """Return one paragraph for each warning, marked at its side; empty without any."""
    return "".join(f'<p style="{WARNING}">{escape(line)}</p>\n' for line in lines)
