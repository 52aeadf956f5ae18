"""`Autosave`: keeps the present workspace in a file of the user's state folder.

Each window has a file of its own, held by a lock that a crashed program loses.
"""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QLockFile, QObject, Signal

from rheojobs.errors import InputError
from rheojobs.inference.workspace.content import Workspace
from rheojobs.inference.workspace.file_format import SUFFIX, read_workspace, write_workspace
from rheojobs.qt.background import Background
from rheojobs.whole_files import replace

__all__ = ["Autosave"]

_MOST_WINDOWS = 20


class Autosave(QObject):
    """Writes, offers and deletes the autosaved workspace; all of it in a thread.

    Parameters
    ----------
    folder : Path
        Where the files are.
    background : Background
        Its thread.
    parent : QObject
        The Qt parent.

    Attributes
    ----------
    left : Signal(object)
        The `Workspace` of the last window that was closed or crashed.
    failed : Signal(str)
        Why a file cannot be written or read, in one line; once until a file is written again.
    """

    left = Signal(object)
    failed = Signal(str)

    def __init__(self, folder: Path, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._folder, self._background = folder, background
        self._number = 0
        self._lock: QLockFile | None = None
        self._has_failed = False

    def look_for_left(self) -> None:
        """Take a file, and emit the workspace that a window before has left in it."""
        self._background.do(self._take, self._offer, self._fail)

    def save(self, workspace: Workspace) -> None:
        """Write a workspace soon."""
        self._background.do(lambda: self._write(workspace), self._on_written, self._fail)

    def close(self, workspace: Workspace) -> None:
        """Write a workspace now, and leave the file for the next window."""
        self._background.do(lambda: self._write(workspace), None, self._fail)
        self._background.do(self._leave)

    def forget_left(self) -> None:
        """Delete what a window before has left."""
        self._background.do(lambda: self._last.unlink(missing_ok=True))

    # ---------------------------------------------------------------- in the thread

    @property
    def _own(self) -> Path:
        return self._folder / f"window-{self._number}{SUFFIX}"

    @property
    def _last(self) -> Path:
        return self._folder / f"last-{self._number}{SUFFIX}"

    def _take(self) -> Workspace | None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(1, _MOST_WINDOWS + 1):
            lock = QLockFile(str(self._folder / f"window-{number}.lock"))
            lock.setStaleLockTime(0)  # however old it is: only a dead process has lost it
            if lock.tryLock(0):
                self._number, self._lock = number, lock
                break
        else:
            raise InputError(f"{self._folder} cannot be written: nothing is saved automatically")
        if self._own.exists():
            replace(self._own, self._last)
        return read_workspace(self._last) if self._last.exists() else None

    def _write(self, workspace: Workspace) -> None:
        if self._lock is None:
            return
        if workspace.datasets or workspace.notes:
            write_workspace(workspace, self._own)
        else:
            self._own.unlink(missing_ok=True)

    def _leave(self) -> None:
        if self._lock is not None:
            self._lock.unlock()

    # ---------------------------------------------------------------- in the window's thread

    def _offer(self, workspace: Workspace | None) -> None:
        if workspace is not None:
            self.left.emit(workspace)

    def _on_written(self, _: object) -> None:
        self._has_failed = False

    def _fail(self, text: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            self.failed.emit(text)
