"""Compiled programs on disk, as JAX asks for them: checked, bounded, never in the way.

JAX's own cache keeps a damaged entry for good, waits for a lock that another process may hold,
and drops nothing from a disk that is full. Imports no JAX.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProgramCache", "StoredFile", "stored_files"]

logger = logging.getLogger(__name__)

SUFFIX = ".xla"
PARTIAL = ".partial-"

_MAGIC = b"rheojobs program 1\n"
_HEADER = len(_MAGIC) + hashlib.sha256().digest_size

RECOUNT_AFTER = 32
"""Programs written until the folder is counted again: other processes write there, too."""

GIVEN_UP_SECONDS = 3600.0
"""A file that is so old and not whole is nobody's any more."""

KEPT_SHARE = 0.9
"""How much of the limit is left filled where something had to go, so that it need not be soon."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the cache: where, how large in bytes, and when it was last of use."""

    path: str
    size: int
    used_ns: int


def stored_files(folder: str | Path) -> Iterator[StoredFile]:
    """Return the files below a folder; what vanishes or cannot be read meanwhile is left out.

    Links are not followed: what they lead to is not ours.
    """
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:  # not there, or not a folder: nothing is stored in it
        return
    for entry in found:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from stored_files(entry.path)
            else:
                status = entry.stat(follow_symlinks=False)
                yield StoredFile(entry.path, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:  # another process was quicker
            continue


class ProgramCache:
    """What JAX calls a cache: `get` and `put`, neither of which ever raises.

    An entry is written beside its place and renamed when it is whole, and carries its own
    checksum, so that several processes need no lock and XLA never sees a damaged program.

    Parameters
    ----------
    folder : Path
        Of the programs that run on this machine.
    root : Path
        Of the programs of all machines that share this disk: `folder` or one above it.
    limit : int
        How many bytes may lie below `root`; the least recently used go first.
    """

    def __init__(self, folder: Path, root: Path, limit: int) -> None:
        self._path = folder  # JAX names it in its log
        self._root = root
        self._limit = limit
        self._lock = threading.Lock()
        self._total = 0
        self._uncounted = RECOUNT_AFTER
        self._complained = False

    def get(self, key: str) -> bytes | None:
        """Return the program of this key; None where there is none, or only a damaged one."""
        path = self._path / f"{key}{SUFFIX}"
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain("read", error)
            return None
        value = stored[_HEADER:]
        if stored[:_HEADER] != _MAGIC + hashlib.sha256(value).digest():
            logger.info("dropped a damaged program: %s", path)
            self._drop(str(path))
            return None
        # What was of use stays; on a disk that cannot be written to, everything does.
        with contextlib.suppress(OSError):
            os.utime(path)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep a program, if the disk allows."""
        path = self._path / f"{key}{SUFFIX}"
        stored = _MAGIC + hashlib.sha256(value).digest() + value
        if len(stored) > self._limit or path.exists():
            return
        partial = ""
        try:
            self._make_room(len(stored))
            # Programs are machine code: nobody else may put any here.
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, partial = tempfile.mkstemp(dir=self._path, prefix=PARTIAL)
            with os.fdopen(descriptor, "wb") as file:
                file.write(stored)
            os.replace(partial, path)
        except OSError as error:
            self._complain("kept", error)
            if partial:
                self._drop(partial)

    def drop(self, key: str) -> None:
        """Remove an entry that is whole and of no use all the same."""
        self._drop(str(self._path / f"{key}{SUFFIX}"))

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._total += size
            self._uncounted += 1
            if self._uncounted > RECOUNT_AFTER or self._total > self._limit:
                files = [file for file in stored_files(self._root) if not self._was_given_up(file)]
                self._uncounted = 0
                self._total = size + sum(file.size for file in files)
                if self._total > self._limit:
                    self._evict(files)

    def _was_given_up(self, file: StoredFile) -> bool:
        """Remove a file whose writer was killed before it was whole; gives whether it is one."""
        name, age = os.path.basename(file.path), time.time() - file.used_ns / 1e9
        if not name.startswith(PARTIAL) or age < GIVEN_UP_SECONDS:
            return False
        self._drop(file.path)
        return True

    def _evict(self, files: list[StoredFile]) -> None:
        for file in sorted(files, key=lambda file: file.used_ns):
            if self._total <= KEPT_SHARE * self._limit:
                return
            self._drop(file.path)
            self._total -= file.size

    def _drop(self, path: str) -> None:
        try:
            os.unlink(path)
        except FileNotFoundError:  # another process was quicker
            return
        except OSError as error:
            self._complain("removed", error)

    def _complain(self, verb: str, error: OSError) -> None:
        """Say it once: a disk that is full now is full for every program."""
        level = logging.DEBUG if self._complained else logging.WARNING
        self._complained = True
        logger.log(level, "compiled programs cannot be %s: %s", verb, error)
