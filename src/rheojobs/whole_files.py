"""Writing of files that are never seen incomplete."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["replace", "write_whole"]

PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between the tries to replace a file that another program has open on Windows."""

_OPEN_ELSEWHERE = (5, 32)
"""ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION."""


def replace(source: str | Path, target: str | Path) -> None:
    """Rename a complete file onto another.

    Windows refuses it while a reader, or a virus scanner, has the other file open; so it is tried
    again for a second.

    Raises
    ------
    OSError
        If it cannot be renamed; then `target` stays as it was.
    """
    for pause in PAUSES:
        try:
            os.replace(source, target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _OPEN_ELSEWHERE:
                raise
            time.sleep(pause)
    os.replace(source, target)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name and rename it when it is complete; makes its folder.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Writes the file at the path that it is given; if it raises, `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads, or two processes, may write the same file.
    temporary = path.with_name(f".{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        write(temporary)
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())  # else a power cut may leave an empty file
        replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
