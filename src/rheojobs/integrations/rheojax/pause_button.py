"""A button below *Cancel* in the steps of RheoJAX's window that pauses and resumes the job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QPushButton

from rheojobs.qt.binding import QEvent, QObject

__all__ = ["PauseButton"]


class PauseButton(QPushButton):
    """Pauses and resumes the job of a step; visible as long as its *Cancel* is.

    Parameters
    ----------
    step : QWidget
        A step of RheoJAX's that runs jobs.
    pause : callable
        Pauses the job if its argument is true, else resumes it; returns whether there is one.
    """

    def __init__(self, step: Any, pause: Callable[[bool], bool]) -> None:
        super().__init__("Pause", step)
        self._pause = pause
        self._is_paused = False
        self.hide()
        cancel, layout = step._cancel_btn, step.layout()
        layout.insertWidget(layout.indexOf(cancel) + 1, self)
        cancel.installEventFilter(self)
        self.clicked.connect(self._toggle)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Appear and disappear with *Cancel*."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._show(False)
            self.setVisible(event.type() == QEvent.Type.ShowToParent)
        return False

    def _toggle(self) -> None:
        if self._pause(not self._is_paused):
            self._show(not self._is_paused)

    def _show(self, is_paused: bool) -> None:
        self._is_paused = is_paused
        self.setText("Resume" if is_paused else "Pause")
