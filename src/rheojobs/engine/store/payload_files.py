"""The folder of a store: the files of its large payloads, in one folder for each job.

A marker file names the store. A folder without that marker is never touched, and in a folder with
it, only files whose names have the form that is written here.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store import permissions
from rheojobs.errors import shortened

__all__ = ["MARKER", "PayloadFiles", "is_uuid", "strays"]

MARKER = "STORE"
"""The name of the marker file, which contains the id of the store."""

LOCKS = "locks"
"""The name of the folder of the locks of engines."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FILE = re.compile(r"[a-z]+-([0-9a-f]{32})-[0-9a-f]{32}")  # part, writer, its own name


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID, and therefore safe as the name of a folder."""
    return _UUID.fullmatch(text) is not None


class PayloadFiles:
    """The folder of a store.

    Parameters
    ----------
    path : Path
        The database of the store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.with_name(path.name + ".files")

    @property
    def locks(self) -> Path:
        """The folder of the locks of engines."""
        return self.folder / LOCKS

    def check(self, store_id: str) -> bool:
        """Return whether the folder exists; raise `StoreError` if it is not this store's."""
        try:
            marked = (self.folder / MARKER).read_text(encoding="utf-8").split("\n")[0]
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            marked = ""
        if not marked and (not os.path.lexists(self.folder) or self._is_empty()):
            return False
        if marked != store_id:
            whose = "another job store" if is_uuid(marked) else "something else"
            raise StoreError(
                f"the folder {self.folder} belongs to {whose}: move it away to use the job store "
                f"{self._path}",
                is_lasting=True,
            )
        permissions.check_folder(self.folder, self._path)
        return True

    def claim(self, store_id: str) -> None:
        """Make the folder with its marker, unless it exists; the caller holds the database's lock.

        So only one process does it at a time; an empty marker is from a process that was killed.
        """
        if self.check(store_id):
            return
        permissions.make_folder(self.folder)
        permissions.check_folder(self.folder, self._path)
        permissions.make_file(self.folder / MARKER)
        text = f"{store_id}\nThis folder belongs to the rheojobs job store {self._path.name}.\n"
        (self.folder / MARKER).write_text(text, encoding="utf-8")
        permissions.make_folder(self.locks)

    def is_there(self) -> bool:
        """Return whether the folder exists."""
        return (self.folder / MARKER).exists()

    def _is_empty(self) -> bool:
        """Return whether the folder contains nothing but an incomplete marker."""
        if not self.folder.is_dir():
            return False
        return all(
            item.name == MARKER and item.is_file() and not item.stat().st_size
            for item in self.folder.iterdir()
        )

    def write(self, job_id: str, part: str, writer: str, content: bytes) -> str:
        """Write a file and sync it to disk; return its name.

        Raises
        ------
        OSError
            If it cannot be written; then no file remains.
        """
        # Never the name of an existing file, since a row may refer to it.
        name = f"{part}-{writer.replace('-', '')}-{uuid.uuid4().hex}"
        path = self._file(job_id, name)
        try:
            with _new_file(path) as file:
                view = memoryview(content)
                while view:
                    view = view[os.write(file, view) :]
                os.fsync(file)
            _sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return name

    def read(self, job_id: str, name: str, size: int) -> bytes:
        """Return the content of a file; raise `StoreError` if it is damaged or missing."""
        path, content = self._file(job_id, name), b""
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _BINARY)
            with open(file, "rb") as opened:
                content = opened.read()
        if len(content) != size:
            raise StoreError(f"{path} is damaged or missing: it has {len(content)} of {size} bytes")
        return content

    def has(self, job_id: str, name: str) -> bool:
        """Return whether a file exists."""
        return self._file(job_id, name).is_file()

    def remove(self, job_id: str, names: Iterable[str]) -> None:
        """Remove files, and the folder of the job if it is empty then."""
        for name in names:
            # A file that cannot be removed, or that belongs to a malformed row, is swept later.
            with contextlib.suppress(OSError):
                self._file(job_id, name).unlink()

    def remove_job(self, job_id: str) -> None:
        """Remove all files of a job that was removed from the store."""
        with contextlib.suppress(OSError):
            folder = self._folder_of(job_id)
            for file in _ours(folder):
                file.unlink(missing_ok=True)
            folder.rmdir()

    def names(self) -> set[tuple[str, str]]:
        """Return the id of the job and the name of each existing file."""
        found = set()
        for folder in self._folders():
            with contextlib.suppress(OSError):
                found |= {(folder.name, file.name) for file in _ours(folder)}
        return found

    def remove_empty(self) -> None:
        """Remove the empty folders of jobs."""
        for folder in self._folders():
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()

    def _folders(self) -> list[Path]:
        try:
            found = list(self.folder.iterdir())
        except OSError:
            return []
        return [item for item in found if is_uuid(item.name) and not item.is_symlink()]

    def _folder_of(self, job_id: str) -> Path:
        """Return the folder of a job; only here an id becomes a path."""
        if not isinstance(job_id, str) or not is_uuid(job_id):
            raise StoreError(
                f"{shortened(repr(job_id), 200)} is not the id of a job with files: {self._path}"
            )
        folder = self.folder / job_id
        if folder.is_symlink():
            raise StoreError(f"{folder} is a symbolic link, which leads out of the job store")
        return folder

    def _file(self, job_id: str, name: str) -> Path:
        if not isinstance(name, str) or _FILE.fullmatch(name) is None:
            shown = shortened(repr(name), 200)
            raise StoreError(f"{shown} is not the name of a file of job {job_id!r}: {self._path}")
        return self._folder_of(job_id) / name


def writer_of(name: str) -> str:
    """Return the hexadecimal digits of the id of the engine that has written a file."""
    found = _FILE.fullmatch(name)
    return "" if found is None else found[1]


def strays(
    there: Collection[tuple[str, str]], known: Collection[tuple[str, str]], writers: Iterable[str]
) -> dict[str, list[str]]:
    """Return the files, by job, to which no row refers or will refer.

    Parameters
    ----------
    there : collection of (str, str)
        The job and the name of each existing file, listed before `known` was read.
    known : collection of (str, str)
        The files to which rows refer.
    writers : iterable of str
        The ids of the present engines, which may have written files whose rows are not written yet.
    """
    alive = {writer.replace("-", "") for writer in writers}
    found: dict[str, list[str]] = {}
    for job_id, name in there:
        if (job_id, name) not in known and writer_of(name) not in alive:
            found.setdefault(job_id, []).append(name)
    return found


_BINARY = getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[int]:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY
    _make_folder(path.parent)
    try:
        file = os.open(path, flags, permissions.PRIVATE_FILE)
    except FileNotFoundError:  # another process has removed the empty folder
        _make_folder(path.parent)
        file = os.open(path, flags, permissions.PRIVATE_FILE)
    try:
        if os.name == "posix":
            os.fchmod(file, permissions.PRIVATE_FILE)
        yield file
    finally:
        os.close(file)


def _make_folder(folder: Path) -> None:
    """Make the folder of a job, but not its parent, which must already have its marker."""
    if folder.parent.is_dir():
        permissions.make_folder(folder)


def _ours(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if _FILE.fullmatch(file.name)]


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut."""
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
