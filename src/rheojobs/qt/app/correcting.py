"""Corrects how the opened files are read: remembers where each came from, and reads it again.

Knows the session and the dialog; must not know formats of files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.preview import Look, Reading, amended, look
from rheojobs.qt.app.session import Session
from rheojobs.qt.background import Background

if TYPE_CHECKING:  # loaded when it is opened
    from rheojobs.qt.widgets.data.reading_editor import ReadingEditor

__all__ = ["Correcting"]


@dataclass(frozen=True)
class _Subject:
    """What is corrected: a dataset of the session, by its number, or a file that was not read."""

    number: int | None
    dataset: Dataset | None
    path: Path | None


class Correcting(QObject):
    """Opens a dialog for the present data, and puts corrected ones in their place.

    Attributes
    ----------
    editor : ReadingEditor or None
        The dialog, while it is there.
    corrected : Signal()
        The present data of the session are others now.
    opened : Signal(object)
        The `Dataset` of a file that could not be read before.
    """

    corrected = Signal()
    opened = Signal(object)

    def __init__(self, session: Session, background: Background, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._background = background
        self._window = window
        self._sources: dict[int, Path] = {}
        self._readings: dict[int, Reading] = {}
        self._failed: Path | None = None
        self._subject = _Subject(None, None, None)
        self.editor: ReadingEditor | None = None

    def note_source(self, number: int, path: Path | None) -> None:
        """Remember which file a dataset of the session came from."""
        if path is not None:
            self._sources[number] = path

    def note_mode(self, mode: str) -> None:
        """Remember that the user has named the test mode of the present data."""
        number = self._session.current
        self._readings[number] = replace(self._readings.get(number, Reading()), mode=mode)

    def note_failure(self, path: Path) -> None:
        """Remember which file was not read last."""
        self._failed = path

    def open(self) -> None:
        """Open the dialog for the present data, if there are any and none of their jobs runs."""
        number, dataset = self._session.current, self._session.dataset
        if dataset is None or self._session.is_running or self.editor is not None:
            return
        subject = _Subject(number, dataset, self._sources.get(number))
        self._open(subject, dataset.name, self._reading_of(number, dataset))

    def open_failed(self) -> None:
        """Open the dialog for the file that was not read last."""
        if self._failed is not None and self.editor is None:
            self._open(_Subject(None, None, self._failed), self._failed.name, Reading())

    def _open(self, subject: _Subject, name: str, reading: Reading) -> None:
        from rheojobs.qt.widgets.data.reading_editor import ReadingEditor

        self._subject = subject
        editor = ReadingEditor(name, reading, self._window)
        editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        editor.wanted.connect(self._try)
        editor.chosen.connect(self._take)
        editor.finished.connect(self._on_finished)
        self.editor = editor
        editor.open()

    def _reading_of(self, number: int, dataset: Dataset) -> Reading:
        """Give how a dataset was read; its constants are shown where nothing else is known."""
        known = self._readings.get(number, Reading())
        constants = {name: f"{value:.10g}" for name, value in dataset.protocol.items()}
        return replace(known, protocol=known.protocol or constants)

    def _try(self, reading: Reading) -> None:
        path, dataset = self._subject.path, self._subject.dataset

        def work() -> Look:
            if path is None:
                assert dataset is not None
                return amended(dataset, reading)
            seen = look(path, reading)
            if dataset is not None and seen.table is None and seen.place == "file":
                return amended(dataset, reading)  # an instrument's own format, or it is gone
            return seen

        self._background.do(work, lambda seen: self._show(reading, seen))

    def _show(self, reading: Reading, seen: Look) -> None:
        if self.editor is not None:
            self.editor.show_look(reading, seen)

    def _take(self, reading: Reading, dataset: Dataset) -> None:
        number, path = self._subject.number, self._subject.path
        if number is None:
            self.opened.emit(dataset)
            number = len(self._session.datasets) - 1
            self.note_source(number, path)
            self._failed = None
        else:
            self._session.correct(dataset)
            self.corrected.emit()
        self._readings[number] = reading

    def _on_finished(self, _: int) -> None:
        self.editor = None
