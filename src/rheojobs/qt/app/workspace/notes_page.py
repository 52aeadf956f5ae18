"""The page of the user's notes, which are saved with the workspace."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from qtpy.QtWidgets import QPlainTextEdit

from rheojobs.qt.app.pages.late_tabs import LateTabs
from rheojobs.qt.app.pages.page import Page

__all__ = ["NotesPage"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("pages", text)


class NotesPage(Page[QPlainTextEdit]):
    """A plain text.

    Attributes
    ----------
    on_edited : callable
        Called when the user has typed.
    """

    title = str(QT_TRANSLATE_NOOP("pages", "Notes"))

    def __init__(self, tabs: LateTabs) -> None:
        self._text = ""
        self.on_edited: Callable[[], object] = lambda: None
        super().__init__(tabs)

    def make(self) -> QPlainTextEdit:
        """Return the editor with the text."""
        editor = QPlainTextEdit(self._text)
        editor.setAccessibleName(_tr("Notes"))
        editor.setPlaceholderText(_tr("Notes on these data; they are saved with the workspace."))
        editor.setTabChangesFocus(True)
        editor.textChanged.connect(lambda: self.on_edited())
        return editor

    @property
    def text(self) -> str:
        """The notes."""
        return self._text if self.made is None else self.made.toPlainText()

    def set_text(self, text: str) -> None:
        """Replace the notes."""
        self._text = text
        if self.made is not None and self.made.toPlainText() != text:
            self.made.setPlainText(text)
