"""The keys of the window, read from its actions, so that they are written nowhere twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qtpy.QtGui import QAction, QKeySequence, QShortcut
from qtpy.QtWidgets import QMainWindow, QMenu, QTableView

__all__ = ["Key", "keys_of", "keys_page"]


@dataclass(frozen=True, slots=True)
class Key:
    """One action with its keys.

    Attributes
    ----------
    place : str
        The menu, or the part of the window, in which it works.
    name : str
        What it does.
    keys : str
        The keys, as Qt writes them.
    """

    place: str
    name: str
    keys: str


def keys_of(window: QMainWindow) -> list[Key]:
    """Return the keys of the menus of a window, then those of its parts."""
    found = list(_of_menus(window))
    taken = {key.keys for key in found}
    found += [key for key in _of_parts(window) if key.keys not in taken]
    return list(dict.fromkeys(found))


def keys_page(window: QMainWindow) -> str:
    """Return the keys as a table in Markdown."""
    rows = [f"| {key.place} | {key.name} | `{key.keys}` |" for key in keys_of(window)]
    return "\n".join(["| Where | What | Keys |", "|---|---|---|", *rows]) + "\n"


def _of_menus(window: QMainWindow) -> Iterator[Key]:
    bar = window.menuBar()
    assert bar is not None
    for action in bar.actions():
        menu = action.menu()
        if isinstance(menu, QMenu):
            yield from _of_menu(menu, _plain(action.text()))


def _of_menu(menu: QMenu, place: str) -> Iterator[Key]:
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from _of_menu(inner, place)
        elif not action.shortcut().isEmpty():
            yield Key(place, _plain(action.text()), _written(action))


def _of_parts(window: QMainWindow) -> Iterator[Key]:
    for shortcut in window.findChildren(QShortcut):
        if shortcut.whatsThis():
            keys = shortcut.key().toString(QKeySequence.SequenceFormat.PortableText)
            yield Key("Window", shortcut.whatsThis(), keys)
    for table in window.findChildren(QTableView):
        for action in table.actions():
            if not action.shortcut().isEmpty():
                yield Key("Tables", _plain(action.text()), _written(action))


def _written(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.PortableText)


def _plain(text: str) -> str:
    return text.replace("&", "").removesuffix("…")
