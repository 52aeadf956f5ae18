"""Permissions of the files of a store: only its owner may read and write them.

A user who can write to a store decides which code a resumed job runs, so a store that others may
write is refused, as ssh refuses such keys. POSIX only; elsewhere a user's folders are private by
default.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from rheojobs.engine.errors import StoreError

__all__ = ["check", "check_folder", "make_file", "make_folder"]

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

_IS_POSIX = os.name == "posix"


def make_folder(folder: Path) -> None:
    """Make a private folder, and its parents; an existing one stays as it is."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(PRIVATE_FOLDER)
        folder.chmod(PRIVATE_FOLDER)  # whatever the umask
        return
    if not folder.is_dir():
        raise FileExistsError(errno.EEXIST, "File exists", str(folder))


def make_file(path: Path) -> None:
    """Make an empty private file; SQLite gives its other files the same mode."""
    with contextlib.suppress(FileExistsError):
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
        try:
            if _IS_POSIX:
                os.fchmod(file, PRIVATE_FILE)
        finally:
            os.close(file)


def check(path: Path) -> None:
    """Raise `StoreError` if others may write a database, or replace it."""
    if not _IS_POSIX:
        return
    for suffix in ("", "-wal", "-shm", "-journal"):
        _check(path.with_name(path.name + suffix), path)
    folder = os.stat(path.parent)
    if not folder.st_mode & stat.S_ISVTX:  # set on /tmp, where users cannot replace others' files
        _refuse_if_writable(path.parent, folder, path)


def check_folder(folder: Path, path: Path) -> None:
    """Raise `StoreError` if others may write the folder of the store at `path`."""
    if _IS_POSIX:
        _check(folder, path)


def _check(item: Path, path: Path) -> None:
    try:
        found = os.stat(item)
    except FileNotFoundError:
        return
    if found.st_uid not in (0, os.getuid()):
        raise StoreError(
            f"the job store {path} is not yours: {item} belongs to another user; set "
            "RHEOJOBS_STATE_DIR to a folder of your own",
            is_lasting=True,
        )
    _refuse_if_writable(item, found, path)


def _refuse_if_writable(item: Path, found: os.stat_result, path: Path) -> None:
    by_group = found.st_mode & stat.S_IWGRP and not _is_private_group(found.st_gid)
    if by_group or found.st_mode & stat.S_IWOTH:
        raise StoreError(
            f"the job store {path} is refused, as others may write to it: chmod go-w '{item}'",
            is_lasting=True,
        )


def _is_private_group(group: int) -> bool:
    """Return whether a group has only this user, as many systems make one for each user."""
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.getuid()), grp.getgrgid(group)
    except KeyError:  # a user or a group without a name
        return False
    return (
        user.pw_gid == group and found.gr_name == user.pw_name and {*found.gr_mem} <= {user.pw_name}
    )
