"""Whether the axes of the plot are logarithmic: chosen by the person, or left to the test."""

from __future__ import annotations

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from rheojobs.qt.widgets.data_plot import DataPlot

__all__ = ["AxesMenu"]


class AxesMenu(QMenu):
    """A menu of three: as usual for the test, logarithmic, linear.

    Attributes
    ----------
    usual, logarithmic, linear : QAction
        One of them is ticked.
    """

    def __init__(self, plot: DataPlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Axes"))
        self._plot = plot
        self._group = QActionGroup(self)
        self.usual = self._add(self.tr("As &usual for the test"), "Ctrl+Alt+0", None)
        self.logarithmic = self._add(self.tr("&Logarithmic"), "Ctrl+Alt+1", True)
        self.linear = self._add(self.tr("L&inear"), "Ctrl+Alt+2", False)
        self.usual.setChecked(True)
        self._group.triggered.connect(self._choose)

    def _add(self, text: str, keys: str, is_log: bool | None) -> QAction:
        action = QAction(text, self, checkable=True)
        action.setShortcut(QKeySequence(keys))
        action.setData(is_log)
        self._group.addAction(action)
        self.addAction(action)
        return action

    def _choose(self, action: QAction) -> None:
        self._plot.set_log(action.data())
