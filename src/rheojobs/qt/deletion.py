"""`when_deleted`: a call at the end of a Qt object, whether Qt or Python deletes it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from rheojobs.qt.binding import QObject

__all__ = ["when_deleted"]


def when_deleted(owner: QObject, call: Callable[..., object], *args: Any) -> None:
    """Call a function once when an object is deleted; not if the process ends before.

    Parameters
    ----------
    owner : QObject
        The object.
    call : callable
        Called with `args`; neither may refer to `owner`.
    """
    # Not a lambda: Python's collector empties one that only the owner's cycle holds, and PyQt
    # calls it nevertheless, which crashes. A finalizer is held by its module.
    finalizer = weakref.finalize(owner, call, *args)
    finalizer.atexit = False
    owner.destroyed.connect(finalizer)
