"""The menus of the window, with their keys: each entry calls a part of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtGui import QAction

from rheojobs.qt.app.building import action
from rheojobs.qt.widgets.plots.axes_menu import AxesMenu

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow

__all__ = ["Menus"]


class Menus(QObject):
    """File, Run, Jobs and View.

    Parameters
    ----------
    window : MainWindow
        With all its parts.

    Attributes
    ----------
    open, correct, close_data, fit, sample, pause, cancel, place : QAction
        The most frequent actions.
    file : QMenu
        The menu File, to which others add entries.
    axes : AxesMenu
        The axes of the data plot.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        bar, run = window.menuBar(), window.run_panel
        self.file = file_menu = bar.addMenu(self.tr("&File"))
        run_menu = bar.addMenu(self.tr("&Run"))
        jobs_menu = bar.addMenu(self.tr("&Jobs"))
        view_menu = bar.addMenu(self.tr("&View"))
        self.open = action(window, self.tr("&Open…"), "Ctrl+O", window.opening.ask)
        self.correct = action(
            window, self.tr("&Correct how data are read…"), "Ctrl+R", window.correcting.open
        )
        self.close_data = action(window, self.tr("C&lose data"), "Ctrl+W", window.close_data)
        file_menu.addActions([self.open, self.correct, self.close_data])
        file_menu.addSeparator()
        file_menu.addAction(action(window, self.tr("&Quit"), "Ctrl+Q", window.close))
        self.fit = action(window, self.tr("&Fit"), "Ctrl+F", run.fit_button.click)
        self.sample = action(window, self.tr("&Sample"), "Ctrl+B", run.sample_button.click)
        self.pause = action(window, self.tr("&Pause or resume"), "Ctrl+P", run.pause_button.click)
        self.cancel = action(window, self.tr("&Cancel"), "Esc", run.cancel_button.click)
        run_menu.addActions([self.fit, self.sample, self.pause, self.cancel])
        run_menu.addSeparator()
        self.place = action(
            window, self.tr("&Where jobs run…"), "Ctrl+Shift+W", window.run_place.ask
        )
        run_menu.addAction(self.place)
        jobs_menu.addActions(window.jobs_pane.table.verbs.all())
        show_jobs = QAction(self.tr("&Jobs"), window, checkable=True, checked=True)
        show_jobs.toggled.connect(window.jobs_pane.setVisible)
        view_menu.addAction(show_jobs)
        self.axes = AxesMenu(window)
        view_menu.addMenu(self.axes)
