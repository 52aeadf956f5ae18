"""`MessageBar`: a message of a line or two inside the window."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

__all__ = ["MessageBar"]

# Translucent, so that they suit light and dark backgrounds.
_GROUNDS = {
    "info": QColor(86, 140, 200, 40),
    "success": QColor(0, 150, 105, 45),
    "warning": QColor(230, 159, 0, 60),
    "error": QColor(213, 60, 40, 55),
}
_RADIUS = 4


class MessageBar(QLabel):
    """A message on a tinted background; takes no space while it is empty.

    Attributes
    ----------
    kind : str
        ``"info"``, ``"success"``, ``"warning"``, ``"error"``, or empty while there is none.
    words : str
        The text, without its link.
    link : str
        The text of the link at its end, if it has one; `linkActivated` is emitted at a click.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        self.kind = self.words = self.link = ""
        super().__init__(parent)
        self.setWordWrap(True)
        self.setContentsMargins(8, 6, 8, 6)
        # A message quotes file names and errors: it must not be taken for HTML.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(self.tr("Message"))
        self.hide()

    def say(self, kind: str, text: str, link: str = "") -> None:
        """Show a message of a kind, with a link at its end if there is more to see."""
        self.kind, self.words, self.link = kind, text, link
        self._write()
        self.setAccessibleDescription(f"{text} {link}".strip())
        self.show()

    def clear(self) -> None:
        """Hide the message."""
        self.kind = self.words = self.link = ""
        super().clear()
        self.setAccessibleDescription("")
        self.hide()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.link:
            self._write()

    def _write(self) -> None:
        if not self.link:
            self.setTextFormat(Qt.TextFormat.PlainText)
            self.setText(self.words)
            return
        # Only this form is HTML, and nothing of the text is taken for it.
        self.setTextFormat(Qt.TextFormat.RichText)
        plain = escape(self.words).replace("\n", "<br>")
        # A link's usual blue cannot be read on the tinted ground of a dark window.
        color = self.palette().color(QPalette.ColorRole.WindowText).name()
        link = f"<a href='more' style='color: {color}'>{escape(self.link)}</a>"
        self.setText(f"{plain} {link}")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the background; with a style sheet the text colour would not follow the palette."""
        if self.kind:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_GROUNDS[self.kind])
            painter.drawRoundedRect(self.rect(), _RADIUS, _RADIUS)
            painter.end()
        super().paintEvent(event)
