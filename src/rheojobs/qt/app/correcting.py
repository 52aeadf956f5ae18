"""Corrects how the opened files are read: remembers where each came from, and reads it again.

Knows the session and the dialog; must not know formats of files.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from rheojobs.inference.corrections import Look, Reading, amended, look
from rheojobs.inference.data import Dataset
from rheojobs.qt.app.session import Session
from rheojobs.qt.background import Background
from rheojobs.qt.widgets.reading_editor import ReadingEditor

__all__ = ["Correcting"]


class Correcting(QObject):
    """Opens a dialog for the present data, and puts corrected ones in their place.

    Attributes
    ----------
    editor : ReadingEditor or None
        The dialog, while it is there.
    corrected : Signal()
        The present data of the session are others now.
    """

    corrected = Signal()

    def __init__(self, session: Session, background: Background, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._background = background
        self._window = window
        self._sources: dict[int, Path] = {}
        self._readings: dict[int, Reading] = {}
        self.editor: ReadingEditor | None = None

    def note_source(self, number: int, path: Path | None) -> None:
        """Remember which file a dataset of the session came from."""
        if path is not None:
            self._sources[number] = path

    def note_mode(self, mode: str) -> None:
        """Remember that the user has named the test mode of the present data."""
        number = self._session.current
        self._readings[number] = replace(self._readings.get(number, Reading()), mode=mode)

    def open(self) -> None:
        """Open the dialog, if there are data and none of their jobs runs."""
        dataset = self._session.dataset
        if dataset is None or self._session.is_running or self.editor is not None:
            return
        number = self._session.current
        editor = ReadingEditor(dataset.name, self._reading_of(number, dataset), self._window)
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
        number, dataset = self._session.current, self._session.dataset
        assert dataset is not None
        path = self._sources.get(number)

        def work() -> Look:
            seen = look(path, reading) if path is not None else amended(dataset, reading)
            if seen.dataset is None and seen.table is None and seen.place == "file":
                return amended(dataset, reading)  # an instrument's own format, or it is gone
            return seen

        self._background.do(work, lambda seen: self._show(reading, seen))

    def _show(self, reading: Reading, seen: Look) -> None:
        if self.editor is not None:
            self.editor.show_look(reading, seen)

    def _take(self, reading: Reading, dataset: Dataset) -> None:
        self._readings[self._session.current] = reading
        self._session.correct(dataset)
        self.corrected.emit()

    def _on_finished(self, _: int) -> None:
        self.editor = None
