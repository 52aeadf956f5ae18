"""The keys of the window, read from its actions, so that they are written nowhere twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from qtpy.QtGui import QAction, QKeySequence, QShortcut
from qtpy.QtWidgets import QMainWindow, QMenu, QTableView, QWidget

__all__ = ["Key", "keys_of", "keys_page"]


BAR = r"\|"
"""A bar within a cell of a table in Markdown."""


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
    actions = list(_in_menus(window))
    found = [Key(place, _plain(each.text()), _written(each.shortcut())) for place, each in actions]
    found += _of_parts(window, {id(each) for _, each in actions})
    return list(dict.fromkeys(found))


def keys_page(window: QMainWindow) -> str:
    """Return the keys as a table in Markdown."""
    rows = [
        f"| {key.place} | {key.name.replace('|', BAR)} | `{key.keys}` |" for key in keys_of(window)
    ]
    return "\n".join(["| Where | What | Keys |", "|---|---|---|", *rows]) + "\n"


def _in_menus(window: QMainWindow) -> Iterator[tuple[str, QAction]]:
    """Return the actions that have keys, with the titles of their menus."""
    bar = window.menuBar()
    assert bar is not None
    for action in bar.actions():
        menu = action.menu()
        if isinstance(menu, QMenu):
            place = _plain(action.text())
            yield from ((place, each) for each in _of_menu(menu) if not each.shortcut().isEmpty())


def _of_menu(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from _of_menu(inner)
        else:
            yield action


def _of_parts(window: QMainWindow, known: Collection[int]) -> Iterator[Key]:
    """Return the keys that work in a part of the window only."""
    for shortcut in window.findChildren(QShortcut):
        if shortcut.whatsThis():
            part = shortcut.parent()
            place = part.accessibleName() if isinstance(part, QWidget) else ""
            yield Key(place or "Window", shortcut.whatsThis(), _written(shortcut.key()))
    for action in window.findChildren(QAction):
        if id(action) not in known and not action.shortcut().isEmpty():
            place = "Tables" if isinstance(action.parent(), QTableView) else "Plots"
            yield Key(place, _plain(action.text()), _written(action.shortcut()))


def _written(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.PortableText)


def _plain(text: str) -> str:
    return text.replace("&", "").removesuffix("…")
