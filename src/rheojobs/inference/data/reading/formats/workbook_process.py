"""Read a workbook from standard input and write its cells as JSON: a script of its own process.

A cell far away, or a damaged size, makes calamine ask for more memory than there is, which ends
its process. Imports nothing of rheojobs.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

__all__: list[str] = []

_MEMORY = 4 << 30  # bytes


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


def _sheets(data: bytes) -> list[tuple[str, list[list[object]]]]:
    import python_calamine

    kind = python_calamine.SheetTypeEnum.WorkSheet  # others are charts and macros
    found: list[tuple[str, list[list[object]]]] = []
    with python_calamine.load_workbook(io.BytesIO(data)) as book:
        for sheet in book.sheets_metadata:
            if sheet.typ == kind:
                # Empty rows at the top are kept, so that rows have the numbers that Excel shows.
                rows = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
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
