"""The entries of a workspace in the menus of the window: in File, and the menu Edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QAction, QKeySequence

if TYPE_CHECKING:
    from rheojobs.qt.app.main_window import MainWindow
    from rheojobs.qt.app.workspace.controller import WorkspaceController

__all__ = ["add_workspace_actions"]


def add_workspace_actions(controller: WorkspaceController, window: MainWindow) -> None:
    """Add opening and saving to the menu File, and a menu Edit behind it."""
    _add_file_actions(controller, window)
    _add_edit_menu(controller, window)


def _add_file_actions(controller: WorkspaceController, window: MainWindow) -> None:
    keys = QKeySequence.StandardKey
    file_menu, tr = window.menus.file, controller.tr
    before = file_menu.actions()[-1]  # Quit
    for text, key, slot in (
        (tr("Open &workspace…"), "Ctrl+Shift+O", controller.ask_what_to_open),
        (tr("&Save workspace"), keys.Save, controller.save),
        (tr("Save workspace &as…"), keys.SaveAs, controller.save_as),
        (tr("Save as &Python script…"), "", controller.save_script),
    ):
        entry = QAction(text, window)
        entry.setShortcut(QKeySequence(key))
        entry.triggered.connect(lambda _=False, slot=slot: slot())
        file_menu.insertAction(before, entry)
    file_menu.insertMenu(before, controller.recent)
    file_menu.insertSeparator(before)


def _add_edit_menu(controller: WorkspaceController, window: MainWindow) -> None:
    keys, history, tr = QKeySequence.StandardKey, controller.history, controller.tr
    bar = window.menuBar()
    menu = bar.addMenu(tr("&Edit"))
    bar.removeAction(menu.menuAction())
    bar.insertMenu(bar.actions()[1], menu)
    undo, redo = QAction(tr("&Undo"), window), QAction(tr("&Redo"), window)
    undo.setShortcuts(QKeySequence.keyBindings(keys.Undo))
    redo.setShortcuts(QKeySequence.keyBindings(keys.Redo))
    undo.triggered.connect(history.undo)
    redo.triggered.connect(history.redo)
    stack = history.stack
    stack.canUndoChanged.connect(undo.setEnabled)
    stack.canRedoChanged.connect(redo.setEnabled)
    stack.undoTextChanged.connect(lambda text: undo.setText(f"{tr('&Undo')} {text}".strip()))
    stack.redoTextChanged.connect(lambda text: redo.setText(f"{tr('&Redo')} {text}".strip()))
    for entry in (undo, redo):
        entry.setEnabled(False)
        menu.addAction(entry)
