"""Whether the axes of the plot are logarithmic: chosen by the person, or left to the test.

Loads no plots: these may come later than the menu.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

__all__ = ["AxesMenu"]


class AxesMenu(QMenu):
    """A menu of three: as usual for the test, logarithmic, linear.

    Attributes
    ----------
    usual, logarithmic, linear : QAction
        One of them is ticked.
    chosen : Signal()
        Another is.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Axes"))
        self._group = QActionGroup(self)
        self.usual = self._add(self.tr("As &usual for the test"), "Ctrl+Alt+0")
        self.logarithmic = self._add(self.tr("&Logarithmic"), "Ctrl+Alt+1")
        self.linear = self._add(self.tr("L&inear"), "Ctrl+Alt+2")
        self.usual.setChecked(True)
        self._group.triggered.connect(lambda _: self.chosen.emit())

    @property
    def is_log(self) -> bool | None:
        """What is chosen; None where it is left to the test."""
        return None if self.usual.isChecked() else self.logarithmic.isChecked()

    def _add(self, text: str, keys: str) -> QAction:
        action = QAction(text, self, checkable=True)
        action.setShortcut(QKeySequence(keys))
        self._group.addAction(action)
        self.addAction(action)
        return action
