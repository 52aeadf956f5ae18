"""`AxesMenu`: makes the axes of the plot logarithmic, linear, or as usual for the test.

It loads no plots: the menu may be made before them.
"""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction, QActionGroup, QKeySequence
from qtpy.QtWidgets import QMenu, QWidget

__all__ = ["AxesMenu"]


class AxesMenu(QMenu):
    """A menu with three choices: as usual for the test, logarithmic, linear.

    Attributes
    ----------
    usual, logarithmic, linear : QAction
        The choices; one is ticked.
    chosen : Signal()
        Another choice was made.
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
        """Whether the axes are logarithmic; None for as usual for the test."""
        return None if self.usual.isChecked() else self.logarithmic.isChecked()

    def _add(self, text: str, keys: str) -> QAction:
        action = QAction(text, self, checkable=True)
        action.setShortcut(QKeySequence(keys))
        self._group.addAction(action)
        self.addAction(action)
        return action
