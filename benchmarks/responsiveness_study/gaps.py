"""A timer in an event loop, and the time between its ticks: how long nothing else could happen."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

__all__ = ["GapTimer"]

INTERVAL_MS = 1
FRAME = 0.016


class GapTimer(QObject):
    """Ticks every millisecond, as far as it is let, and notes when.

    The clock is the wall's: a gap counts whether Python, Qt or the system made it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ticks: list[float] = []
        self._timer = QTimer(self, interval=INTERVAL_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._ticks.append(time.perf_counter()))

    def start(self) -> None:
        """Begin to tick."""
        self._ticks.append(time.perf_counter())
        self._timer.start()

    def stop(self) -> dict[str, Any]:
        """Stop, and give what was found: gaps in milliseconds."""
        self._timer.stop()
        ticks = np.array(self._ticks)
        gaps = np.diff(ticks)
        worst = np.argsort(gaps)[::-1][:5]
        return {
            "seconds": float(ticks[-1] - ticks[0]),
            "ticks": int(ticks.size),
            "median": 1000 * float(np.median(gaps)),
            "p99": 1000 * float(np.quantile(gaps, 0.99)),
            "p99.9": 1000 * float(np.quantile(gaps, 0.999)),
            "max": 1000 * float(gaps.max()),
            "longer_than_a_frame": int((gaps > FRAME).sum()),
            "held": float(gaps[gaps > FRAME].sum()),
            "worst": [[float(ticks[i] - ticks[0]), 1000 * float(gaps[i])] for i in worst],
        }
