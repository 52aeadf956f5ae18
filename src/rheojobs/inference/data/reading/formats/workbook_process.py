"""Read a workbook from standard input and write its cells as JSON: a script of its own process.

A cell far away, or a damaged size, makes calamine ask for more memory than there is, which ends
its process. Imports nothing of rheojobs.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
from typing import Any

__all__: list[str] = []

_MEMORY = 4 << 30  # bytes
_MOST_UNPACKED = 500_000_000  # bytes; a file of text may have as many
_MOST_CELLS = 10_000_000
_MOST_TEXT = 200_000_000  # characters; many cells may share one text


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # on Windows a failed allocation ends the process too
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most)
    with contextlib.suppress(OSError, ValueError):  # macOS refuses such limits
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _value(value: object) -> object:
    """Return a cell's value; calamine gives whole numbers as floats too."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, str):
        return value.strip()
    return value if isinstance(value, int | bool) or value is None else str(value)


def _check_size(data: bytes) -> None:
    """Refuse a zip whose content is much too large for a table, before it is unpacked."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _MOST_UNPACKED:
            raise ValueError(f"it unpacks to {size / 1e6:.0f} MB; at most {_MOST_UNPACKED / 1e6:g}")


def _cells_of(sheet: Any, left: int) -> list[list[object]]:
    """Return the cells of a sheet if they are at most so many: two far apart span millions."""
    height, width = (sheet.end[k] + 1 for k in (0, 1)) if sheet.end else (0, 0)
    if height * width > left:
        raise ValueError(f"sheet {sheet.name!r} has {height:,} rows of {width:,} cells: too many")
    # Empty rows at the top are kept, so that rows have the numbers that Excel shows.
    rows: list[list[object]] = sheet.to_python(skip_empty_area=False)
    return rows


def _sheets(data: bytes) -> list[tuple[str, list[list[object]]]]:
    import python_calamine

    kind = python_calamine.SheetTypeEnum.WorkSheet  # others are charts and macros
    found: list[tuple[str, list[list[object]]]] = []
    cells, text = 0, 0
    _check_size(data)
    with python_calamine.load_workbook(io.BytesIO(data)) as book:
        for sheet in book.sheets_metadata:
            if sheet.typ == kind:
                rows = _cells_of(book.get_sheet_by_name(sheet.name), _MOST_CELLS - cells)
                cells += sum(map(len, rows))
                text += sum(len(v) for row in rows for v in row if isinstance(v, str))
                if text > _MOST_TEXT:
                    raise ValueError(f"it has more than {_MOST_TEXT / 1e6:g} million characters")
                found.append((sheet.name, [[_value(value) for value in row] for row in rows]))
    return found


def _main() -> None:
    _limit_memory()
    answer: dict[str, object]
    try:
        answer = {"sheets": _sheets(sys.stdin.buffer.read())}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of calamine's is no Exception
        answer = {"error": (str(error) or type(error).__name__).splitlines()[0]}
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    _main()
