"""The menus of the window, with their keys: each entry calls a part of the window."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import QAbstractButton

from rheojobs.qt.app.help.help_menu import HelpMenu
from rheojobs.qt.app.pages.fit_page import FitPage
from rheojobs.qt.widgets.common.building import action
from rheojobs.qt.widgets.common.confirm import LONG_WORK, confirm
from rheojobs.qt.widgets.common.texts import duration
from rheojobs.qt.widgets.plots.axes_menu import AxesMenu
from rheojobs.qt.widgets.plots.oscillation_menu import OscillationMenu

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow

__all__ = ["Menus"]


class Menus(QObject):
    """File, Run, Jobs, View and Help.

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
    oscillation : OscillationMenu
        What the data plot shows of an oscillation.
    help : HelpMenu
        The keys, the documentation and About.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        bar, run = window.menuBar(), window.run_panel
        self.file = file_menu = bar.addMenu(self.tr("&File"))
        run_menu = bar.addMenu(self.tr("&Run"))
        jobs_menu = bar.addMenu(self.tr("&Jobs"))
        view_menu = bar.addMenu(self.tr("&View"))
        self._window, self._began = window, 0.0
        window.runs.locked.connect(self._note_start)
        standard = QKeySequence.StandardKey
        self.open = action(window, self.tr("&Open…"), standard.Open, window.opening.ask)
        self.correct = action(
            window, self.tr("&Correct how data are read…"), "F4", window.correcting.open
        )
        self.close_data = action(
            window, self.tr("C&lose data"), standard.Close, window.close_data, otherwise="Ctrl+W"
        )
        file_menu.addActions([self.open, self.correct, self.close_data])
        file_menu.addSeparator()
        file_menu.addAction(
            action(window, self.tr("&Quit"), standard.Quit, window.close, otherwise="Ctrl+Q")
        )
        self.fit = action(window, self.tr("&Fit"), "F5", run.fit_button.click)
        self.sample = action(window, self.tr("&Sample"), "F6", run.sample_button.click)
        self.pause = action(window, self.tr("&Pause or resume"), "F7", run.pause_button.click)
        # Not Esc: it would reach the run from every field of the window.
        self.cancel = action(window, self.tr("&Cancel"), "Shift+Esc", self._cancel_run)
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
        self.oscillation = OscillationMenu(window)
        view_menu.addMenu(self.oscillation)
        window.tabs.page(FitPage).follow(self.oscillation)
        self.help = HelpMenu(window)
        bar.addMenu(self.help)
        data = window.data_panel
        for button, act in (
            (data.open_button, self.open),
            (data.close_button, self.close_data),
            (data.correct_button, self.correct),
            (run.fit_button, self.fit),
            (run.sample_button, self.sample),
            (run.pause_button, self.pause),
            (run.cancel_button, self.cancel),
        ):
            _name_keys(button, act)

    def _note_start(self, is_running: bool) -> None:
        if is_running:
            self._began = time.monotonic()

    def _cancel_run(self) -> None:
        """Stop the run; ask first if it has taken long."""
        button, began = self._window.run_panel.cancel_button, self._began
        taken = time.monotonic() - began
        if taken < LONG_WORK or not button.isEnabled():
            button.click()
            return
        words = self.tr("Stop the run?\nIt has taken {time}.").format(time=duration(taken))

        def stop() -> None:
            if self._began == began:  # else the next run has begun meanwhile
                button.click()

        confirm(self._window, words, self.tr("&Stop"), self.tr("&Keep running"), stop)


def _name_keys(button: QAbstractButton, action: QAction) -> None:
    """Add the keys of an action to the tool tip of the button that does the same."""
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    button.setToolTip(f"{button.toolTip() or button.text().replace('&', '')} ({keys})")
