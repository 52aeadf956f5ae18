"""Read the cells of workbooks: Excel before and after 2007, and OpenDocument."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rheojobs.errors import InputError

__all__ = ["is_workbook", "sheets_of"]

_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip, and Microsoft's compound file
_SCRIPT = Path(__file__).with_name("workbook_process.py")
_SECONDS = 300


def is_workbook(data: bytes) -> bool:
    """Whether the bytes of a file are those of a workbook."""
    return data.startswith(_MAGIC)


def sheets_of(data: bytes) -> list[tuple[str, list[list[object]]]]:
    """Return the name and the cells of each sheet, row by row: numbers, texts, None.

    They are read in a process of their own, which a damaged workbook may end.

    Raises
    ------
    InputError
        If the bytes are no workbook that can be read.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_SCRIPT)],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            # On Windows an application without a console would show one for a moment.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        reason = answer.get("error", "it is damaged, or has a cell too far from the others")
    except subprocess.TimeoutExpired:
        answer, reason = {}, f"it is not read in {_SECONDS} s"
    except (OSError, ValueError) as error:
        answer, reason = {}, str(error)
    if "sheets" not in answer:
        raise InputError(f"not a readable Excel workbook ({reason}): save it as .xlsx or as CSV")
    return [(str(name), rows) for name, rows in answer["sheets"]]
