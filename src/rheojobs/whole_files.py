"""Writing of files that are never seen incomplete."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_whole"]


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
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
