"""The Qt binding of this process, PySide6 or PyQt6, and what workers and pool need of it.

Every package of the Qt parts loads this module before it imports from qtpy, which takes the
binding that is chosen here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

from rheojobs.errors import InputError, MissingExtraError

SUPPORTED = {"pyside6": "PySide6", "pyqt6": "PyQt6"}
"""The bindings that can be used, by their names in QT_API; the preferred one first."""
TOO_OLD = {"pyqt5": "PyQt5", "pyside2": "PySide2"}
"""Bindings of Qt 5, which qtpy would take."""


def chosen_binding() -> str:
    """Return the name of the package that the Qt parts use.

    It is the one that the application has imported; else the one that QT_API names; else
    PySide6 if it is installed, and PyQt6 if not.
    """
    for names in (SUPPORTED, TOO_OLD):
        for name in names.values():
            if name in sys.modules:
                return _of_qt6(name, f"this application has imported {name}")
    if asked := os.environ.get("QT_API", "").lower():
        return _installed(_of_qt6({**SUPPORTED, **TOO_OLD}.get(asked, ""), f"QT_API is {asked}"))
    for name in SUPPORTED.values():
        if importlib.util.find_spec(name) is not None:
            return name
    raise MissingExtraError('the Qt parts need PySide6: pip install "rheojobs[gui]"')


def _of_qt6(name: str, reason: str) -> str:
    if name in SUPPORTED.values():
        return name
    raise InputError(f"the Qt parts run with PySide6 or PyQt6, but {reason}")


def _installed(name: str) -> str:
    if importlib.util.find_spec(name) is not None:
        return name
    raise MissingExtraError(
        f"QT_API asks for {name}, which is not installed: pip install {name}, or unset QT_API"
    )


def _load(name: str) -> None:
    """Load a binding, and have qtpy and pyqtgraph use the same."""
    try:
        importlib.import_module(f"{name}.QtCore")
    except ImportError as error:  # qtpy would take another binding, or hide the reason
        raise MissingExtraError(f"{name} cannot be loaded: {error}") from error
    if importlib.util.find_spec("qtpy") is None:
        raise MissingExtraError('the Qt parts need qtpy: pip install "rheojobs[gui]"')
    os.environ["QT_API"] = name.lower()
    os.environ["PYQTGRAPH_QT_LIB"] = name


BINDING = chosen_binding()
"""The package that this process uses."""

_load(BINDING)

import qtpy  # noqa: E402
from qtpy.QtCore import (  # noqa: E402  (qtpy reads what `_load` has set)
    QCoreApplication,
    QEvent,
    QMetaMethod,
    QObject,
    QRunnable,
    Qt,
    QThreadPool,
    QTimer,
    Signal,
    SignalInstance,
    Slot,
)

if qtpy.PYSIDE6:
    from qtpy.shiboken import isValid

    def is_alive(thing: QObject) -> bool:
        """Whether the C++ part of an object has not been deleted by Qt."""
        return isValid(thing)
else:
    from qtpy.sip import isdeleted

    def is_alive(thing: QObject) -> bool:
        """Whether the C++ part of an object has not been deleted by Qt."""
        return not isdeleted(thing)


__all__ = [
    "BINDING",
    "QCoreApplication",
    "QEvent",
    "QMetaMethod",
    "QObject",
    "QRunnable",
    "QThreadPool",
    "QTimer",
    "Qt",
    "Signal",
    "SignalInstance",
    "Slot",
    "is_alive",
]
