"""Saves and restores the geometry of the window: its place, splitters, tab and columns.

What cannot be restored is left as it is.
"""

from __future__ import annotations

from qtpy.QtCore import QByteArray, QSettings
from qtpy.QtWidgets import QHeaderView, QMainWindow, QSplitter, QTabWidget

from rheojobs.engine.store.reader import state_folder

__all__ = ["restore_layout", "save_layout", "user_settings"]

_VERSION = 2
"""Raised when the window's parts change so that an older saved layout would not fit."""


def user_settings() -> QSettings:
    """Return the settings of this user; `RHEOJOBS_STATE_DIR` moves their file too."""
    return QSettings(str(state_folder() / "window.ini"), QSettings.Format.IniFormat)


def save_layout(window: QMainWindow, settings: QSettings) -> None:
    """Save the geometry, the splitters, the tab and the widths of the columns."""
    settings.beginGroup("layout")
    settings.setValue("version", _VERSION)
    settings.setValue("geometry", window.saveGeometry())
    for name, part in _parts(window).items():
        if isinstance(part, QTabWidget):
            settings.setValue(name, part.currentIndex())
        else:
            settings.setValue(name, part.saveState())
    settings.endGroup()
    settings.sync()


def restore_layout(window: QMainWindow, settings: QSettings) -> bool:
    """Restore what was saved; False if nothing was, or by a window with other parts."""
    settings.beginGroup("layout")
    is_known = settings.value("version", 0, int) == _VERSION
    if is_known:
        window.restoreGeometry(_bytes(settings, "geometry"))
        for name, part in _parts(window).items():
            if isinstance(part, QTabWidget):
                part.setCurrentIndex(int(str(settings.value(name, 0, int))))
            else:
                part.restoreState(_bytes(settings, name))
    settings.endGroup()
    return is_known


def _bytes(settings: QSettings, name: str) -> QByteArray:
    value = settings.value(name)
    return value if isinstance(value, QByteArray) else QByteArray()


def _parts(window: QMainWindow) -> dict[str, QSplitter | QTabWidget | QHeaderView]:
    """Return the names of the parts that are saved: those with an object name."""
    parts: tuple[QSplitter | QTabWidget | QHeaderView, ...] = (
        *window.findChildren(QSplitter),
        *window.findChildren(QTabWidget),
        *window.findChildren(QHeaderView),
    )
    return {part.objectName(): part for part in parts if _is_named(part.objectName())}


def _is_named(name: str) -> bool:
    return bool(name) and not name.startswith("qt_")
