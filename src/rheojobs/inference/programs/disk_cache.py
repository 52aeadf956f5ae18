"""A cache of compiled programs on disk for JAX: checksummed, bounded in size, never raising.

JAX's own cache never drops a damaged entry, waits for a lock that another process may hold,
and frees nothing on a full disk. Imports no JAX.
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

from rheojobs.whole_files import replace

__all__ = ["ProgramCache", "StoredFile", "stored_files"]

logger = logging.getLogger(__name__)

SUFFIX = ".xla"
PARTIAL = ".partial-"

_MAGIC = b"rheojobs program 1\n"
_HEADER = len(_MAGIC) + hashlib.sha256().digest_size

RECOUNT_AFTER = 32
"""Programs written before the folder is counted again, since other processes write there too."""

GIVEN_UP_SECONDS = 3600.0
"""An incomplete file of this age has been abandoned by its writer."""

KEPT_SHARE = 0.9
"""The fraction of the limit that is still filled after entries were dropped."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the cache: where, how large in bytes, and when it was last of use."""

    path: str
    size: int
    used_ns: int


def stored_files(folder: str | Path) -> Iterator[StoredFile]:
    """Return the files below a folder, without those that vanish or cannot be read meanwhile.

    Links are not followed: their targets are not ours.
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
    """A cache with JAX's interface: `get` and `put`, neither of which ever raises.

    An entry is written to a temporary file, renamed when complete, and carries its own
    checksum: several processes need no lock, and XLA never loads a damaged program.

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
        """Return the program of this key; None if there is none, or only a damaged one."""
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
        # Marks the entry as recently used; a disk that cannot be written to drops nothing.
        with contextlib.suppress(OSError):
            os.utime(path)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Store a program, if the disk allows."""
        path = self._path / f"{key}{SUFFIX}"
        stored = _MAGIC + hashlib.sha256(value).digest() + value
        if len(stored) > self._limit or path.exists():
            return
        partial = ""
        try:
            self._make_room(len(stored))
            # Programs are machine code: no other user may write any here.
            self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, partial = tempfile.mkstemp(dir=self._path, prefix=PARTIAL)
            with os.fdopen(descriptor, "wb") as file:
                file.write(stored)
            replace(partial, path)
        except OSError as error:
            # Windows does not replace a file that another process reads: the same program.
            if not path.exists():
                self._complain("kept", error)
            if partial:
                self._drop(partial)

    def drop(self, key: str) -> None:
        """Remove an entry that is intact but cannot be used."""
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
        """Remove a file whose writer was killed before the end; return whether it is one."""
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
        """Log a failure once: a disk that is full now is full for every program."""
        level = logging.DEBUG if self._complained else logging.WARNING
        self._complained = True
        logger.log(level, "compiled programs cannot be %s: %s", verb, error)
