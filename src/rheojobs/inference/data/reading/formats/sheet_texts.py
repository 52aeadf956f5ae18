"""Turn the cells of a spreadsheet into texts with decimal points, numbers written as text too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rheojobs.errors import InputError
from rheojobs.inference.data.reading.formats.decimal_sign import decided
from rheojobs.inference.data.reading.formats.text_dialect import NumberStyle

__all__ = ["as_texts"]

_NEAR = 0.5  # decades outside the range of a column's numbers that a text still belongs to


def as_texts(
    rows: Iterable[Sequence[object]], decimal: str = ""
) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the cells of a sheet as texts, and notes on numbers that were written as text.

    Parameters
    ----------
    rows : iterable of sequence of object
        The cells as a reader of spreadsheets returns them: numbers, texts, dates, None.
    decimal : str
        The decimal mark of numbers written as text, if the user has named it.

    Returns
    -------
    grid : list of list of str
        Numbers have decimal points, and nothing that separates thousands.
    notes : tuple of str
        What was decided on numbers written as text.

    Raises
    ------
    InputError
        If a text such as ``"12,500"`` may be one of two numbers.
    """
    cells = [list(row) for row in rows]
    texts = [[_text(value) for value in row] for row in cells]
    # Only a comma, or a second point, makes the text of a number differ from the number.
    if not any(isinstance(v, str) and ("," in v or v.count(".") > 1) for row in cells for v in row):
        return texts, ()
    written = [[v.strip() if isinstance(v, str) else "" for v in row] for row in cells]
    style, note = _style(written, cells, decimal)
    for row, strings in zip(texts, written, strict=True):
        for index, text in enumerate(strings):
            if text and math.isfinite(value := style.number(text)):
                row[index] = repr(value)
    return texts, (note,) if note else ()


def _text(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else str(value).strip()


def _style(
    written: list[list[str]], cells: list[list[object]], decimal: str
) -> tuple[NumberStyle, str]:
    """Decide by the texts themselves, else by the numbers of the columns in which they stand."""
    # Two zeros make a row of any text, which counts as evidence in its own column.
    rows = [[""] * i + [text, "0", "0"] for row in written for i, text in enumerate(row) if text]
    try:
        return decided(rows, "", decimal)
    except InputError as error:
        votes = {mark: _belonging(written, cells, mark) for mark in ".,"}
        if votes["."] and votes[","] == 0:
            mark, role = ".", "separates thousands"
        elif votes[","] and votes["."] == 0:
            mark, role = ",", "is the decimal sign"
        else:
            raise error
        note = f"numbers written as text: by the other numbers of their column the comma {role}"
        return NumberStyle(mark, grouped=True), note


def _belonging(written: list[list[str]], cells: list[list[object]], mark: str) -> int:
    """Count the columns whose texts, read with this decimal mark, lie among its numbers.

    A column whose texts do not counts for nothing.
    """
    style = NumberStyle(mark, grouped=True)
    count = 0
    for column in range(max(map(len, cells), default=0)):
        values = [row[column] for row in cells if column < len(row)]
        numbers = [float(v) for v in values if isinstance(v, (int, float)) and v is not True and v]
        texts = [row[column] for row in written if column < len(row) and "," in row[column]]
        read = [v for v in map(style.number, texts) if math.isfinite(v) and v]
        if not numbers or not read:
            continue
        logs = [math.log10(abs(v)) for v in numbers if math.isfinite(v)]
        low, high = min(logs) - _NEAR, max(logs) + _NEAR
        count += all(low <= math.log10(abs(v)) <= high for v in read)
    return count
