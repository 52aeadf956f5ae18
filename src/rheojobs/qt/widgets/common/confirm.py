"""A question before something is stopped or removed that took long; it blocks nothing."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

__all__ = ["LONG_WORK", "confirm"]

LONG_WORK = 60.0
"""Seconds of work from which it is not stopped or removed without a question."""


def confirm(
    parent: QWidget, text: str, verb: str, otherwise: str, then: Callable[[], object]
) -> QMessageBox:
    """Ask a question without waiting for the answer; No is the default.

    Parameters
    ----------
    parent : QWidget
        The question is shown over its window.
    text : str
        The question; its first line is emphasised, the others explain it.
    verb, otherwise : str
        The words of the two buttons: do it, and leave it.
    then : callable
        Called if the answer is `verb`.
    """
    question, _, explanation = text.partition("\n")
    box = QMessageBox(parent.window())
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("rheojobs")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question)
    box.setInformativeText(explanation)
    yes = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
    no = box.addButton(otherwise, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def finished(_: int) -> None:
        if box.clickedButton() is yes:
            then()

    box.finished.connect(finished)
    box.open()
    return box
