"""A lock on a file, which the kernel releases when the process that holds it ends in any way.

A process that is stopped or swapped out keeps it. `flock` belongs to the kernel, so it works
between all processes of one machine, also in different containers.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from rheojobs.engine.errors import StoreError
from rheojobs.engine.store import permissions

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock", "is_locked", "remove_if_free"]

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)

_held: set[int] = set()
"""The open files of the locks of this process."""


def _forget_inherited() -> None:
    """Close the locks of the parent in a forked process, which would otherwise keep them."""
    while _held:
        with contextlib.suppress(OSError):
            os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_inherited)


class FileLock:
    """A lock on a file of its own.

    A process that is started by `subprocess` does not inherit it, since Python's files are not
    inheritable. A forked process does, and closes it at once.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock, or take it again if its file was removed.

        Raises
        ------
        StoreError
            If another process holds it.
        OSError
            If the file cannot be created.
        """
        if self._file is not None:
            if self._is_there():
                os.utime(self.path)  # so that programs that clean up folders see that it is in use
                return
            self._close()
        permissions.make_folder(self.path.parent)
        permissions.make_file(self.path)
        file = os.open(self.path, os.O_RDWR)
        try:
            if not _lock(file, is_shared=False):
                raise StoreError(f"the lock {self.path} is held by another program")
        except BaseException:
            os.close(file)
            raise
        self._file = file
        _held.add(file)

    def release(self) -> None:
        """Release the lock and remove its file; it may be called again."""
        if self._file is None:
            return
        if self._is_there():
            with contextlib.suppress(OSError):  # Windows does not remove open files
                self.path.unlink()
        self._close()
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _is_there(self) -> bool:
        """Return whether the file at the path is still the locked one."""
        assert self._file is not None
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except OSError:
            return False

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None and file in _held:  # else a forked process has closed it
            _held.discard(file)
            os.close(file)


def is_locked(path: Path) -> bool:
    """Return whether a process holds a lock; True if that cannot be determined."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        # Shared, so that processes that check at the same time do not mistake each other for
        # the holder.
        return not _lock(file, is_shared=True)
    except OSError:
        return True
    finally:
        os.close(file)


def remove_if_free(path: Path) -> None:
    """Remove the file of a lock that no process holds."""
    if not is_locked(path):
        with contextlib.suppress(OSError):
            path.unlink()


def _lock(file: int, *, is_shared: bool) -> bool:
    """Lock an open file without waiting; return whether it was free."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True
