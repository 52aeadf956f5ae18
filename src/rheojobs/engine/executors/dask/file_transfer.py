"""The files of a task's folder on their way between the application's machine and a worker's.

Each is whole when it is sent, goes under a plain name, and is checked against its checksum.
Knows neither what is in them nor by which way they travel.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine import messages
from rheojobs.whole_files import write_whole

__all__ = ["differences", "digests", "folder_of", "keep", "lay_down", "read_files"]

logger = logging.getLogger(__name__)


def folder_of(task: Any) -> Path | None:
    """Give the folder of a task, on this machine; None where it keeps no files."""
    folder = getattr(task, "folder", None)
    return Path(folder) if folder else None


def _files(folder: Path | None) -> Iterator[Path]:
    """Give the files of a folder but for those that somebody is just writing."""
    if folder is not None and folder.is_dir():
        yield from (p for p in sorted(folder.iterdir()) if _is_plain(p.name) and p.is_file())


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(".") and Path(name).name == name and "\\" not in name


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_files(folder: Path | None) -> dict[str, bytes]:
    """Give the files of a folder by name."""
    return {path.name: path.read_bytes() for path in _files(folder)}


def digests(folder: Path | None) -> dict[str, str]:
    """Give the checksums of the files of a folder by name."""
    return {path.name: _digest(path.read_bytes()) for path in _files(folder)}


def lay_down(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, where a worker is to find them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if _is_plain(name):
            (folder / name).write_bytes(content)


def differences(folder: Path | None, there: Mapping[str, str]) -> Iterator[messages.Kept]:
    """Say what must be written or removed elsewhere, to be as it is in a folder here.

    Parameters
    ----------
    there : mapping of str to str
        What is elsewhere: checksums by name.
    """
    here = read_files(folder)
    for name in there.keys() - here.keys():
        yield messages.Kept(name, None)
    for name, content in here.items():
        if there.get(name) != _digest(content):
            yield messages.Kept(name, content, _digest(content))


def keep(folder: Path, message: messages.Kept) -> None:
    """Do in a folder here what was done on a worker; a file is there whole, or not at all.

    What is damaged, or has a name that would lead out of the folder, is left out and logged.
    """
    path = folder / message.name
    if not _is_plain(message.name):
        return
    if message.content is None:
        path.unlink(missing_ok=True)
        return
    if _digest(message.content) != message.sha256:
        logger.warning("%s came damaged from its worker, and is not kept", path)
        return
    content = message.content
    write_whole(path, lambda whole: whole.write_bytes(content))
