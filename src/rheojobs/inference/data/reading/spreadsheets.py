"""Read the cells of workbooks: Excel before and after 2007, and OpenDocument."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rheojobs.errors import InputError

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

__all__ = ["is_workbook", "sheets_of"]

_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip, and Microsoft's compound file


def is_workbook(data: bytes) -> bool:
    """Whether the bytes of a file are those of a workbook."""
    return data.startswith(_MAGIC)


def sheets_of(data: bytes) -> list[tuple[str, list[list[object]]]]:
    """Return the name and the cells of each sheet, row by row: numbers, texts, dates.

    Raises
    ------
    InputError
        If the bytes are no workbook that can be read.
    """
    import python_calamine

    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            kind = python_calamine.SheetTypeEnum.WorkSheet  # others are charts and macros
            sheets = [sheet.name for sheet in book.sheets_metadata if sheet.typ == kind]
            return [(name, _cells(book.get_sheet_by_name(name))) for name in sheets]
    except Exception as error:  # a damaged workbook fails anywhere in zip, XML or records
        raise InputError(
            f"not a readable Excel workbook ({error}): save it as .xlsx or as CSV"
        ) from error


def _cells(sheet: CalamineSheet) -> list[list[object]]:
    # Empty rows at the top are kept, so that rows have the numbers that Excel shows.
    return [[_value(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]


def _value(value: object) -> object:
    """Return a cell's value; calamine gives whole numbers as floats too."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value.strip() if isinstance(value, str) else value
