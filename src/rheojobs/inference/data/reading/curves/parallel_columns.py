"""Tell apart the curves that stand beside each other in one table, such as three pairs G', G''."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rheojobs.inference.data.reading.columns.column_choice import Choice, Column
from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.units import si_factor

__all__ = ["beside_note", "curves_beside"]


def curves_beside(section: Section, columns: Sequence[Column], choice: Choice) -> list[Section]:
    """Return a section for each curve of a table; itself if there is one.

    Cells of the other curves are blank in it, so that columns keep their numbers.
    """
    sets = [_alike(columns, column) for column in choice.ys]
    count = len(sets[0])
    if count < 2 or any(len(alike) != count for alike in sets):
        return [section]
    xs = _alike(columns, choice.x)
    if len(xs) == count:
        sets.insert(0, xs)
    found = []
    for number, group in enumerate(zip(*sets, strict=True), 1):
        hidden = {column.number - 1 for alike in sets for column in alike if column not in group}
        title = _title(section, group, number, count)
        rows = [["" if i in hidden else cell for i, cell in enumerate(row)] for row in section.rows]
        is_named = section.title and title not in section.title
        whole = f"{section.title}, {title}" if is_named else title
        found.append(replace(section, title=whole, rows=rows))
    return found


def beside_note(columns: Sequence[Column], choice: Choice) -> str:
    """Return a note on columns of the quantities of y that were not taken; empty if none."""
    others = [
        other for column in choice.ys for other in _alike(columns, column) if other is not column
    ]
    if not others:
        return ""
    names = ", ".join(f"{column.name!r} (column {column.number})" for column in others[:6])
    taken = " and ".join(f"{c.name!r} (column {c.number})" for c in choice.ys)
    return f"{taken} taken; of the same quantity, and not used: {names}; x, y and y2 choose others"


def _alike(columns: Sequence[Column], like: Column) -> list[Column]:
    """Return the columns of the same quantity, the given one among them.

    The same values in another unit, or under another name, are no other column.
    """
    found: list[Column] = []
    for column in columns:
        if column.quantity != like.quantity or not np.isfinite(column.values).any():
            continue
        if column is not like and _same(column, like):
            continue
        if not any(_same(column, other) for other in found):
            found.append(column)
    return found if like.quantity else [like]


def _same(first: Column, second: Column) -> bool:
    """Whether two columns hold the same values under another name or in another unit."""
    if (first.label, first.unit) == (second.label, second.unit):
        return False  # the next curve's, whose values may be equal
    pair = [c.values * (si_factor(c.unit, c.quantity) or 1.0) for c in (first, second)]
    both = np.isfinite(pair[0]) & np.isfinite(pair[1])
    return bool(both.any()) and bool(np.allclose(pair[0][both], pair[1][both], rtol=0.006, atol=0))


def _title(section: Section, group: Sequence[Column], number: int, count: int) -> str:
    """Return the name of a curve: a cell above its columns, or its columns' numbers."""
    labels = {column.label for column in group}
    places = sorted(column.number - 1 for column in group)
    for row in reversed(section.above):
        filled = [i for i, cell in enumerate(row) if cell]
        if len(filled) < max(2, count - 1):
            continue
        # A merged cell stands above the first of its columns.
        before = [i for i in filled if i <= places[-1]]
        if before:
            return row[before[-1]]
    distinct = next(iter(labels)) if len(labels) == 1 else ""
    numbers = " and ".join(str(column.number) for column in group)
    words = f"column{'s' * (len(group) > 1)} {numbers}"
    return f"{distinct}, {words}" if distinct else words
