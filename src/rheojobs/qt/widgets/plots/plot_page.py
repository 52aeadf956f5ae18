"""`PlotPage`: the base of pages of plots that scroll; shows a hint while it is empty."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QPalette
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rheojobs.qt.widgets.common.refresh import InSteps
from rheojobs.qt.widgets.plots.plot_copying import copy_picture_action
from rheojobs.qt.widgets.plots.small_plot import SmallPlot

__all__ = ["PlotPage"]


class PlotPage(QWidget):
    """A grid of plots that are made one by one, so that the window stays responsive.

    Attributes
    ----------
    view : QWidget
        Contains the plots.
    grid : QGridLayout
        The layout of the plots.
    steps : InSteps
        Makes and fills the plots.
    explanation : QLabel
        A text above the plots; hidden by default.
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
        # With spacing, each new row would move the present ones a little.
        self.grid.setSpacing(0)
        self.explanation = QLabel(self)
        self.explanation.setWordWrap(True)
        self.explanation.setContentsMargins(8, 6, 8, 2)
        self.explanation.hide()
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(self.view)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._hint = QLabel(self.tr("Sample a model to see its posterior (F6)"), self)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAutoFillBackground(True)
        self._hint.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._hint)
        layout.addWidget(self.explanation)
        layout.addWidget(self._scroll, 1)
        copy = copy_picture_action(self.view)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._scroll.addAction(copy)

    def show_plots(self, are_there: bool) -> None:
        """Show the plots, or the hint how to get some."""
        self._hint.setVisible(not are_there)
        self._scroll.setVisible(are_there)

    def put(self, plot: SmallPlot, row: int, column: int) -> None:
        """Put a plot into its cell, hidden until it is filled."""
        plot.hide()
        self.keep_room(plot, True)
        self.grid.addWidget(plot, row, column)

    def keep_room(self, plot: SmallPlot, wanted: bool) -> None:
        """Keep the space of a hidden plot, so that nothing else moves when it is shown."""
        policy = plot.sizePolicy()
        policy.setRetainSizeWhenHidden(wanted)
        plot.setSizePolicy(policy)

    def drop(self, plot: SmallPlot) -> None:
        """Remove a plot."""
        plot.hide()
        self.grid.removeWidget(plot)
        plot.deleteLater()
