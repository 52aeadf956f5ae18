"""Both sides: the files of a task's folder, copied between the application and a worker.

A file is complete when it is sent, has a plain name, and is checked against its checksum.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine import messages
from rheojobs.whole_files import write_whole

__all__ = ["apply", "differences", "digests", "folder_of", "read_files", "write_files"]

logger = logging.getLogger(__name__)


def folder_of(task: Any) -> Path | None:
    """Return the folder of a task on this machine; None if it has none."""
    folder = getattr(task, "folder", None)
    return Path(folder) if folder else None


def _files(folder: Path | None) -> Iterator[Path]:
    """Return the files of a folder, without those that are being written."""
    if folder is not None and folder.is_dir():
        yield from (p for p in sorted(folder.iterdir()) if _is_plain(p.name) and p.is_file())


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(".") and Path(name).name == name and "\\" not in name


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_files(folder: Path | None) -> dict[str, bytes]:
    """Return the contents of the files of a folder by name."""
    return {path.name: path.read_bytes() for path in _files(folder)}


def digests(folder: Path | None) -> dict[str, str]:
    """Return the checksums of the files of a folder by name."""
    return {path.name: _digest(path.read_bytes()) for path in _files(folder)}


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if _is_plain(name):
            (folder / name).write_bytes(content)


def differences(folder: Path | None, digests: Mapping[str, str]) -> Iterator[messages.Kept]:
    """Return the messages that turn another copy of a folder into that of this one.

    Parameters
    ----------
    digests : mapping of str to str
        The checksums of the other copy's files, by name.
    """
    here = read_files(folder)
    for name in digests.keys() - here.keys():
        yield messages.Kept(name, None)
    for name, content in here.items():
        if digests.get(name) != _digest(content):
            yield messages.Kept(name, content, _digest(content))


def apply(folder: Path, message: messages.Kept) -> None:
    """Write or remove a file here as it was written or removed on a worker.

    A damaged file is logged and left out, as is a name that leads out of the folder.
    """
    path = folder / message.name
    if not _is_plain(message.name):
        return
    if message.content is None:
        path.unlink(missing_ok=True)
        return
    if _digest(message.content) != message.sha256:
        logger.warning("%s came damaged from its worker and is not written", path)
        return
    content = message.content
    write_whole(path, lambda whole: whole.write_bytes(content))
