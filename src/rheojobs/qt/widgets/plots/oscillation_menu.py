"""`OscillationMenu`: chooses what is shown of an oscillation: moduli, Cole-Cole, tan δ, ...

It loads no plots: the menu may be made before them.
"""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction, QActionGroup, QKeySequence
from qtpy.QtWidgets import QMenu, QWidget

from rheojobs.inference.results.oscillation_views import VIEWS, OscillationView

__all__ = ["OscillationMenu"]


class OscillationMenu(QMenu):
    """A menu with one choice for each view; disabled while no oscillation is shown.

    Attributes
    ----------
    actions_of : dict of str to QAction
        The choices, by the name of the view; one is ticked.
    chosen : Signal()
        Another view was chosen.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Oscillation as"))
        self._group = QActionGroup(self)
        self.actions_of: dict[str, QAction] = {}
        for number, view in enumerate(VIEWS, 1):
            action = QAction(self.tr(view.title), self, checkable=True)
            action.setShortcut(QKeySequence(f"Ctrl+{number}"))
            self._group.addAction(action)
            self.addAction(action)
            self.actions_of[view.name] = action
        self.actions_of[VIEWS[0].name].setChecked(True)
        self._group.triggered.connect(lambda _: self.chosen.emit())
        self.set_offered(False)

    @property
    def view(self) -> OscillationView:
        """The chosen view."""
        return next(view for view in VIEWS if self.actions_of[view.name].isChecked())

    def set_offered(self, offered: bool) -> None:
        """Offer the views, or not; their keys follow."""
        self._group.setEnabled(offered)
        self.menuAction().setEnabled(offered)
