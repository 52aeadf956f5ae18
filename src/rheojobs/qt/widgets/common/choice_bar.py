"""`ChoiceBar`: a question with buttons inside the window, which blocks nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from rheojobs.qt.widgets.common.message_bar import MessageBar

__all__ = ["ChoiceBar"]

Choice = tuple[str, Callable[[], object]]


class ChoiceBar(QWidget):
    """A message with buttons; takes no space while it is empty.

    Attributes
    ----------
    message : MessageBar
        The text.
    buttons : list of QPushButton
        The choices; a click on any hides the bar.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = MessageBar(self)
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 6, 0)
        self._row.addWidget(self.message, 1)
        self.hide()

    def ask(self, kind: str, text: str, choices: Sequence[Choice]) -> None:
        """Show a question; each choice has the text of its button and the function it calls."""
        self.clear()
        self.message.say(kind, text)
        for words, act in choices:
            button = QPushButton(words, self)
            button.setAccessibleDescription(text)
            button.clicked.connect(self.clear)
            button.clicked.connect(lambda _=False, act=act: act())
            self._row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
            self.buttons.append(button)
        self.show()

    def clear(self) -> None:
        """Hide the question."""
        for button in self.buttons:
            button.hide()
            button.deleteLater()
        self.buttons = []
        self.message.clear()
        self.hide()
