"""A page of plots that scrolls, and says how to get something to see while there is nothing.

Knows no results: what shows a posterior derives from it.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rheojobs.qt.widgets.common.refresh import InSteps
from rheojobs.qt.widgets.plots.small_plot import SmallPlot

__all__ = ["PlotPage"]


class PlotPage(QWidget):
    """A grid of plots that are made one by one, so that the window never stops.

    Attributes
    ----------
    view : QWidget
        Where the plots are.
    grid : QGridLayout
        In which they lie.
    steps : InSteps
        In which they are made and filled.
    explanation : QLabel
        Above them; hidden where nobody shows it.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps = InSteps(self)
        self.view = QWidget()
        self.view.setAccessibleName(name)
        self.view.setAutoFillBackground(True)
        self.view.setBackgroundRole(QPalette.ColorRole.Base)
        self.grid = QGridLayout(self.view)
        self.grid.setContentsMargins(5, 5, 5, 5)
        # With spaces between rows, each that comes would move those that there are a little.
        self.grid.setSpacing(0)
        self.explanation = QLabel(self)
        self.explanation.setWordWrap(True)
        self.explanation.setContentsMargins(8, 6, 8, 2)
        self.explanation.hide()
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(self.view)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._hint = QLabel(self.tr("Sample a model to see its posterior (Ctrl+B)"), self)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAutoFillBackground(True)
        self._hint.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._hint)
        layout.addWidget(self.explanation)
        layout.addWidget(self._scroll, 1)

    def show_plots(self, are_there: bool) -> None:
        """Show the plots, or what to do to get some."""
        self._hint.setVisible(not are_there)
        self._scroll.setVisible(are_there)

    def put(self, plot: SmallPlot, row: int, column: int) -> None:
        """Put a plot into its place, where it is hidden until there is something in it."""
        plot.hide()
        self.keep_room(plot, True)
        self.grid.addWidget(plot, row, column)

    def keep_room(self, plot: SmallPlot, wanted: bool) -> None:
        """Keep the place of a plot while it is hidden: nothing else moves when it is shown."""
        policy = plot.sizePolicy()
        policy.setRetainSizeWhenHidden(wanted)
        plot.setSizePolicy(policy)

    def drop(self, plot: SmallPlot) -> None:
        """Take a plot away."""
        plot.hide()
        self.grid.removeWidget(plot)
        plot.deleteLater()
