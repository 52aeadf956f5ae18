"""`Opening`: opens files by the dialog, by dropping them, or by name, and lists their data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QMimeData, QObject
from qtpy.QtWidgets import QFileDialog

from rheojobs.inference.data.dataset import Dataset
from rheojobs.qt.app.correcting import Correcting
from rheojobs.qt.app.dataset_library import DatasetLibrary
from rheojobs.qt.app.file_reader import FileReader
from rheojobs.qt.app.session import WindowSession
from rheojobs.qt.widgets.data.data_panel import DataPanel

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMainWindow

__all__ = ["Opening", "files_of"]


def files_of(data: QMimeData) -> list[str]:
    """Return the local files among what is dragged or dropped."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


class Opening(QObject):
    """Reads files in the background, and adds their data to the library.

    Parameters
    ----------
    reader : FileReader
        Reads the files.
    library : DatasetLibrary
        Gets the data.
    session : WindowSession
        While its job runs, new data wait in the list.
    panel : DataPanel
        Shows why a file could not be read.
    correcting : Correcting
        Offers to correct how such a file is read.
    window : QMainWindow
        The parent of the dialog.
    """

    def __init__(
        self,
        reader: FileReader,
        library: DatasetLibrary,
        session: WindowSession,
        panel: DataPanel,
        correcting: Correcting,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._reader, self._library, self._session = reader, library, session
        self._panel, self._correcting, self._window = panel, correcting, window
        self._is_shown = False
        self._waiting: list[Path] = []  # in the order of opening
        self._read: dict[Path, Dataset | str] = {}
        reader.dataset_read.connect(self._on_read)
        reader.failed.connect(self._on_unread)
        panel.open_wanted.connect(self.ask)
        panel.failed_button.clicked.connect(correcting.open_failed)

    def open(self, files: Sequence[str | Path]) -> None:
        """Read files, and show the first of them that is read."""
        self._is_shown = self._is_shown and self._reader.is_busy()
        for file in files:
            self._waiting.append(Path(file))
            self._reader.read(Path(file))

    def ask(self) -> None:
        """Let the user choose files to open."""
        kinds = self.tr(
            "Measured data (*.csv *.tsv *.txt *.dat *.xlsx *.xls *.ods *.xml *.tri);;All files (*)"
        )
        title = self.tr("Open measured data")
        files, _ = QFileDialog.getOpenFileNames(self._window, title, "", kinds)
        self.open(files)

    def _on_read(self, dataset: Dataset, path: Path) -> None:
        self._read[path] = dataset
        self._take()

    def _on_unread(self, text: str, path: Path) -> None:
        self._read[path] = text
        self._take()

    def _take(self) -> None:
        """Take what is read in the order of opening: several files are read at a time."""
        while self._waiting and self._waiting[0] in self._read:
            path = self._waiting.pop(0)
            found = self._read[path]
            if path not in self._waiting:  # else it was opened twice
                del self._read[path]
            if isinstance(found, Dataset):
                self._add(found, path)
            else:
                self._correcting.note_failure(path)
                self._panel.show_failure(found, can_correct=path.is_file())

    def _add(self, dataset: Dataset, path: Path) -> None:
        # A running job belongs to the data that are shown: new data wait in the list. So do the
        # others of many files, which would come one after the other.
        is_free = not self._session.is_running
        self._library.add(dataset, path, show=is_free and not self._is_shown)
        self._is_shown = True
