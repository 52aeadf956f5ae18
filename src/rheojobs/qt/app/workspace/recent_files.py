"""`RecentFiles`: the menu of the workspaces that were opened or saved last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QSettings
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from rheojobs.qt.background import Background

__all__ = ["RecentFiles"]

MOST = 8

_KEY = "workspace/recent"


class RecentFiles(QMenu):
    """A menu of files, the last one first; those that are gone are disabled.

    Parameters
    ----------
    settings : QSettings or None
        Remembers the files from one start to the next.
    background : Background
        Looks whether the files are there: a disk of the network may not answer.
    open_file : callable
        Called with the chosen path.
    parent : QWidget
        The Qt parent.
    """

    def __init__(
        self,
        settings: QSettings | None,
        background: Background,
        open_file: Callable[[Path], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Open &recent"))
        self._settings, self._background, self._open = settings, background, open_file
        self._paths: list[str] = []
        if settings is not None:
            kept = settings.value(_KEY, [])  # of one path, Qt returns a text
            paths = kept if isinstance(kept, list) else [kept]
            self._paths = [path for path in paths if isinstance(path, str)]
        self._fill()
        self.aboutToShow.connect(self.look)

    def add(self, path: Path) -> None:
        """Put a file first."""
        text = str(path.absolute())
        self._paths = [text, *(other for other in self._paths if other != text)][:MOST]
        if self._settings is not None:
            self._settings.setValue(_KEY, self._paths)
        self._fill()

    def look(self) -> None:
        """Disable the files that are gone."""
        paths = list(self._paths)
        self._background.do(lambda: [path for path in paths if not Path(path).is_file()], self._dim)

    def _fill(self) -> None:
        self.clear()
        for path in self._paths:
            entry = QAction(Path(path).name.replace("&", "&&"), self)
            entry.setToolTip(path)
            entry.setData(path)
            entry.triggered.connect(lambda _=False, path=path: self._open(Path(path)))
            self.addAction(entry)
        self.setToolTipsVisible(True)
        self.setEnabled(bool(self._paths))

    def _dim(self, gone: list[str]) -> None:
        for entry in self.actions():
            entry.setEnabled(entry.data() not in gone)
