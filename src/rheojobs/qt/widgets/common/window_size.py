"""Makes a window as high as its contents need, after they have grown."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

__all__ = ["grow_to_fit"]


def grow_to_fit(window: QWidget) -> None:
    """Make a window higher if its contents are; never make it smaller."""
    layout = window.layout()
    if layout is None:
        return
    layout.activate()
    needed = layout.totalHeightForWidth(window.width())
    if needed < 0:  # no text in it wraps
        needed = layout.totalSizeHint().height()
    if needed > window.height():
        window.resize(window.width(), needed)
