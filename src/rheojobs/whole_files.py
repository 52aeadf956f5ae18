"""Files that nobody ever finds half of. Knows paths alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name and rename it when it is whole; makes its folder.

    Parameters
    ----------
    path : Path
        The file.
    write : callable
        Writes the file of the name that it is given; what it raises leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads may write the same file, as two processes may.
    temporary = path.with_name(f".{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        write(temporary)
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())  # else a power cut leaves the name with nothing behind it
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
