"""Leave out rows of a table that are no points: means, deviations and remarks below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rheojobs.inference.data.reading.formats.section import Section
from rheojobs.inference.data.reading.formats.text_dialect import NumberStyle, is_missing

__all__ = ["no_points_note", "without_summaries"]

_SURE = (
    r"(?:(arithmetic |geometric |grand |overall )?(mean|average|avg|mean value|averages|means)"
    r"|(std|st|standard)[ .]*(dev|deviation|error|err)?[ .]*(dev|deviation)?|s[ .]?d|s[ .]?e"
    r"|s[ .]?e[ .]?m|stdev|stddev|stderr|rsd|c[ .]?v|cov|variance|median|rel[ .]*std[ .]*(dev)?"
    r"|mittelwert|mittel|durchschnitt|standardabweichung|stabw|varianz"
    r"|moyenne|ecart[ -]type|écart[ -]type|mediane|médiane|desviación estándar|promedio"
    r"|95 ?% ?ci|confidence interval)"
)
# Words that a column of remarks may hold beside a point.
_OTHER = (
    r"(?:var|sum|total|totals|min|max|minimum|maximum|range|count|number of points|r2|r\^2|r²|slope"
    r"|intercept|summe|gesamt|anzahl|somme|media|ci)"
)
_BEHIND = r"\s*([\[(].*[\])]|[±%:=].*)?\s*"
_SURE_LABEL, _ANY_LABEL = (
    re.compile(f"{words}{_BEHIND}", re.IGNORECASE) for words in (_SURE, f"(?:{_SURE}|{_OTHER})")
)


def without_summaries(section: Section) -> Section:
    """Return a section without its rows of means, deviations and remarks, and a note on them."""
    rows, style = section.rows, section.style
    width = max(map(len, rows), default=0)
    columns = [i for i in range(width) if _is_of_numbers(rows, i, style)]
    end = len(rows)
    while end and _begins_with_word(rows[end - 1], columns, style):
        end -= 1
    labels: dict[int, str] = {}
    for index, row in enumerate(rows):
        label = next((c for i, c in enumerate(row) if _is_summary(c, i in columns)), "")
        if label and index >= end:
            labels[index] = label
        elif index >= end:
            labels[index] = next(filter(None, row))
        elif label and not _names_neighbours(rows, index, label):
            labels[index] = label
    if not labels:
        return section
    kept = [row for index, row in enumerate(rows) if index not in labels]
    return replace(
        section, rows=kept, notes=(*section.notes, no_points_note(list(labels.values())))
    )


def _names_neighbours(rows: Sequence[Sequence[str]], index: int, label: str) -> bool:
    """Whether a row beside has the same word, as the name of a segment."""
    return any(label in rows[i] for i in (index - 1, index + 1) if 0 <= i < len(rows))


def no_points_note(labels: Sequence[str]) -> str:
    """Return the note on rows that are no points."""
    shown = ", ".join(dict.fromkeys(label[:30] for label in labels[:6]))
    several = len(labels) > 1
    count = f"{len(labels)} rows" if several else "1 row"
    are = "are no points" if several else "is no point"
    return f"{count} of the table or below it {are}: {shown}"


def _is_summary(cell: str, of_numbers: bool) -> bool:
    if not cell or not (cell[0].isalpha() or cell[0] == "9"):  # most cells
        return False
    return (_ANY_LABEL if of_numbers else _SURE_LABEL).fullmatch(cell) is not None


def _is_of_numbers(rows: Sequence[Sequence[str]], column: int, style: NumberStyle) -> bool:
    """Whether a column holds numbers, or nothing, in at least half of the rows."""
    cells = [row[column] if column < len(row) else "" for row in rows]
    good = sum(map(is_missing, cells)) + style.count(cells)
    return 2 * good >= len(cells)


def _begins_with_word(row: Sequence[str], columns: Sequence[int], style: NumberStyle) -> bool:
    """Whether the first filled cell of a row is a word in a column of numbers."""
    first = next((i for i, cell in enumerate(row) if cell), None)
    if first is None or first not in columns:
        return False
    cell = row[first]
    word = not is_missing(cell) and not style.count([cell]) and re.match(r"[^\W\d_]", cell)
    # All cells of a row may say that a value is out of range; a summary has numbers too.
    return bool(word) and bool(style.count(row))
