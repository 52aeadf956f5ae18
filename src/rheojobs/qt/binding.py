"""PySide6 for the public workers and the pool, with a one-line error if it is missing.

The widgets import PySide6 themselves, after `rheojobs.qt.widgets` has loaded this module.
"""

from __future__ import annotations

from rheojobs.errors import MissingExtraError

try:
    from PySide6.QtCore import (
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
except ImportError as error:
    if isinstance(error, ModuleNotFoundError) and error.name and "PySide6" in error.name:
        raise MissingExtraError('the Qt parts need PySide6: pip install "rheojobs[gui]"') from None
    raise MissingExtraError(f"PySide6 cannot be loaded: {error}") from error

__all__ = [
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
]
