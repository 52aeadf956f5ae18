"""Corrects how the opened files are read: shows a dialog, and reads the file again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QWidget

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.preview import Look, Reading, amended, look
from rheojobs.qt.app.dataset_library import DatasetLibrary, OpenedDataset
from rheojobs.qt.app.session import WindowSession
from rheojobs.qt.background import Background

if TYPE_CHECKING:  # loaded when the dialog is opened
    from rheojobs.qt.widgets.data.reading_editor import ReadingEditor

__all__ = ["Correcting"]


class Correcting(QObject):
    """Opens a dialog for the present data, and replaces them by the corrected data.

    Parameters
    ----------
    library : DatasetLibrary
        Holds the data and their files.
    session : WindowSession
        While its job runs, the data cannot be corrected.
    background : Background
        Reads the files.
    window : QWidget
        The parent of the dialog.

    Attributes
    ----------
    editor : ReadingEditor or None
        The dialog, while it is shown.
    """

    def __init__(
        self,
        library: DatasetLibrary,
        session: WindowSession,
        background: Background,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._library = library
        self._session = session
        self._background = background
        self._window = window
        self._failed: Path | None = None
        self._subject: OpenedDataset | Path = Path()
        self.editor: ReadingEditor | None = None

    def note_failure(self, path: Path) -> None:
        """Remember the last file that could not be read."""
        self._failed = path

    def open(self) -> None:
        """Open the dialog for the present data, unless there are none or a job of them runs."""
        opened = self._library.current
        if opened is not None and not self._session.is_running and self.editor is None:
            self._open(opened, opened.dataset.name, _reading_of(opened))

    def open_failed(self) -> None:
        """Open the dialog for the last file that could not be read."""
        if self._failed is not None and self.editor is None:
            self._open(self._failed, self._failed.name, Reading())

    def _open(self, subject: OpenedDataset | Path, name: str, reading: Reading) -> None:
        from rheojobs.qt.widgets.data.reading_editor import ReadingEditor

        self._subject = subject
        editor = ReadingEditor(name, reading, self._window)
        editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        editor.wanted.connect(self._try)
        editor.chosen.connect(self._take)
        editor.finished.connect(self._on_finished)
        self.editor = editor
        editor.open()

    def _try(self, reading: Reading) -> None:
        subject = self._subject
        path = subject if isinstance(subject, Path) else subject.path
        dataset = None if isinstance(subject, Path) else subject.dataset

        def work() -> Look:
            if path is None:
                assert dataset is not None
                return amended(dataset, reading)
            seen = look(path, reading)
            if dataset is not None and seen.table is None and seen.place == "file":
                return amended(dataset, reading)  # an instrument's own format, or the file is gone
            return seen

        self._background.do(work, lambda seen: self._show(reading, seen))

    def _show(self, reading: Reading, seen: Look) -> None:
        if self.editor is not None:
            self.editor.show_look(reading, seen)

    def _take(self, reading: Reading, dataset: Dataset) -> None:
        if isinstance(self._subject, Path):
            self._failed = None
            running = self._session.is_running
            self._library.add(dataset, self._subject, reading, show=not running)
        else:
            self._library.correct(self._subject, dataset, reading)

    def _on_finished(self, _: int) -> None:
        self.editor = None


def _reading_of(opened: OpenedDataset) -> Reading:
    """Return how a dataset was read, with its own constants unless others were given."""
    constants = {name: f"{value:.10g}" for name, value in opened.dataset.protocol.items()}
    return replace(opened.reading, protocol=opened.reading.protocol or constants)
