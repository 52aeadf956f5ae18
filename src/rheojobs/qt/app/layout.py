"""Where the window stood and how it was divided, kept from one start to the next.

Knows Qt's own bytes for that alone; what cannot be taken back is left as it is.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QHeaderView, QMainWindow, QSplitter, QTabWidget

from rheojobs.engine.store.reader import state_folder

__all__ = ["restore_layout", "save_layout", "user_settings"]

_VERSION = 1
"""Raised when the window's parts change so that what an older one kept would not fit."""


def user_settings() -> QSettings:
    """Return the settings of this user; `RHEOJOBS_STATE_DIR` moves them with all else."""
    return QSettings(str(state_folder() / "window.ini"), QSettings.Format.IniFormat)


def save_layout(window: QMainWindow, settings: QSettings) -> None:
    """Keep the geometry, the splitters, the tab and the widths of the columns."""
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
    """Take back what was kept; False where nothing was, or by a window of other parts."""
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
    """Name the parts that are kept: those that have an object name."""
    parts: tuple[QSplitter | QTabWidget | QHeaderView, ...] = (
        *window.findChildren(QSplitter),
        *window.findChildren(QTabWidget),
        *window.findChildren(QHeaderView),
    )
    return {part.objectName(): part for part in parts if _is_named(part.objectName())}


def _is_named(name: str) -> bool:
    return bool(name) and not name.startswith("qt_")
