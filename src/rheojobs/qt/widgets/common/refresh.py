"""Limits how often widgets redraw, and splits long work, so that the window stays responsive."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import QObject, QTimer

__all__ = ["InSteps", "Refresher"]

INTERVAL_MS = 80
"""Twelve redraws a second."""


class Refresher(QObject):
    """Calls a function soon after it was asked for, once for any number of requests.

    Parameters
    ----------
    draw : callable
        Draws the newest data.
    parent : QObject
        The Qt parent.
    """

    def __init__(self, draw: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True, interval=INTERVAL_MS)
        self._timer.timeout.connect(draw)

    def request(self) -> None:
        """Draw soon."""
        if not self._timer.isActive():
            self._timer.start()

    def cancel(self) -> None:
        """Drop the requests."""
        self._timer.stop()


class InSteps(QObject):
    """Does long work in short steps; the window handles its events in between.

    One plot takes some milliseconds; thirty at once would freeze the window noticeably.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._steps: list[Callable[[], object]] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._go_on)

    @property
    def is_busy(self) -> bool:
        """Whether there are steps left."""
        return bool(self._steps)

    def begin(self, steps: Sequence[Callable[[], object]]) -> None:
        """Do these steps in order, instead of any that are left."""
        self._steps = list(reversed(steps))
        self._timer.start()

    def add(self, step: Callable[[], object]) -> None:
        """Do one more step after those that are left."""
        self._steps.insert(0, step)
        self._timer.start()

    def cancel(self) -> None:
        """Drop the remaining steps."""
        self._steps = []
        self._timer.stop()

    def _go_on(self) -> None:
        if self._steps:
            self._steps.pop()()
        if not self._steps:
            self._timer.stop()
