"""A line or two that say what happened, next to where it happened. Knows nothing of the cause."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

__all__ = ["MessageBar"]

# Translucent, so that they suit light and dark ground.
_GROUNDS = {
    "info": "rgba(86, 140, 200, 40)",
    "success": "rgba(0, 150, 105, 45)",
    "warning": "rgba(230, 159, 0, 60)",
    "error": "rgba(213, 60, 40, 55)",
}


class MessageBar(QLabel):
    """A message on a tinted ground; takes no room while there is none.

    Attributes
    ----------
    kind : str
        ``"info"``, ``"success"``, ``"warning"``, ``"error"``, or empty while there is none.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = ""
        self.setWordWrap(True)
        # A message quotes file names and errors: it must not be taken for HTML.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(self.tr("Message"))
        self.hide()

    def say(self, kind: str, text: str) -> None:
        """Show a message of a kind."""
        self.kind = kind
        self.setStyleSheet(
            f"QLabel {{ background: {_GROUNDS[kind]}; border-radius: 4px; padding: 6px 8px; }}"
        )
        self.setText(text)
        self.setAccessibleDescription(text)
        self.show()

    def clear(self) -> None:
        """Take the message away."""
        self.kind = ""
        super().clear()
        self.setAccessibleDescription("")
        self.hide()
