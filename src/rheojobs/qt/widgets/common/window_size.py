"""A window as high as what is in it needs to be, after a line has come in. Knows no contents."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

__all__ = ["grow_to_fit"]


def grow_to_fit(window: QWidget) -> None:
    """Make a window higher where its contents are; it never gets smaller by itself."""
    layout = window.layout()
    if layout is None:
        return
    layout.activate()
    needed = layout.totalHeightForWidth(window.width())
    if needed < 0:  # nothing in it wraps
        needed = layout.totalSizeHint().height()
    if needed > window.height():
        window.resize(window.width(), needed)
