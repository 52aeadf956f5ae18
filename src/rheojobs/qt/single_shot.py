"""`single_shot`: a call after a while, unless the object that it is for is gone by then.

`QTimer.singleShot` takes such an object only in PySide6.
"""

from __future__ import annotations

from collections.abc import Callable

from rheojobs.qt.binding import QObject, QTimer

__all__ = ["single_shot"]


def single_shot(milliseconds: int, context: QObject, call: Callable[[], object]) -> None:
    """Call a function once in the thread of `context`, unless that has been deleted by then."""
    timer = QTimer(context)
    timer.setSingleShot(True)
    timer.timeout.connect(call)
    timer.timeout.connect(timer.deleteLater)
    timer.start(milliseconds)
