"""This project's real window while a slider is dragged; a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from side_by_side.child import Mouth, serve

from responsiveness_study.gaps import GapTimer
from rheojobs.inference.data import example_melt
from rheojobs.qt.app.main_window import MainWindow
from rheojobs.qt.widgets.model.slider_scale import STEPS

MODEL, MODES, DRAGGED = "generalized_maxwell", 6, "tau_4"
FRAME_MS = 16
CHECK_MS = 50
FIRST_CURVES_MS = 2000
"""After the first curve: plots and programs are made once, before anybody drags."""


class _Measurement:
    """Chooses the model, opens the sliders, and moves one with each frame."""

    def __init__(self, window: MainWindow, seconds: float) -> None:
        self._window, self._seconds = window, seconds
        self._gaps = GapTimer()
        self._begun: dict[float, float] = {}
        self._waits: list[float] = []
        self._moves = 0
        self.found: dict[str, object] = {}
        self._clock = QTimer(window, interval=CHECK_MS)
        self._clock.timeout.connect(self._choose)
        self._clock.start()
        self._drag = QTimer(window, interval=FRAME_MS)
        self._drag.timeout.connect(self._move)
        window.open([example_melt.csv_path()])

    def _choose(self) -> None:
        window = self._window
        if window.session.dataset is None or not window.model_picker.choose(MODEL):
            return
        window.run_panel.options.model_form.field("n_modes").setValue(MODES)
        if window.parameters.rowCount() == 1 + 2 * MODES:
            self._clock.stop()
            window.explorer.worker.computed.connect(self._first)
            window.explorer.button.click()

    def _first(self, *_: object) -> None:
        self._window.explorer.worker.computed.disconnect(self._first)
        self._window.explorer.worker.computed.connect(self._on_curve)
        QTimer.singleShot(FIRST_CURVES_MS, self._start)

    def _start(self) -> None:
        self._window.explorer.sliders.slider(DRAGGED).setSliderDown(True)
        self._gaps.start()
        self._drag.start()
        QTimer.singleShot(int(1000 * self._seconds), self._end)

    def _move(self) -> None:
        self._moves += 1
        place = abs(self._moves % STEPS - STEPS // 2) + STEPS // 4
        sliders = self._window.explorer.sliders
        begun = time.perf_counter()
        sliders.slider(DRAGGED).setValue(place)
        self._begun[sliders.values()[DRAGGED]] = begun

    def _on_curve(self, task: Any, _: object) -> None:
        begun = self._begun.pop(task.values[DRAGGED], None)
        if begun is not None:
            self._waits.append(1000 * (time.perf_counter() - begun))

    def _end(self) -> None:
        self._drag.stop()
        waits = np.array(self._waits)
        self.found = self._gaps.stop() | {
            "moves": self._moves,
            "curves": int(waits.size),
            "wait_median": float(np.median(waits)),
            "wait_p99": float(np.quantile(waits, 0.99)),
            "wait_max": float(waits.max()),
        }
        QApplication.quit()


def _measure(request: Mapping[str, Any], mouth: Mouth) -> None:
    app = QApplication(sys.argv[:1])
    window = MainWindow()
    window.show()
    measurement = _Measurement(window, request["seconds"])
    app.exec()
    window.close()
    mouth.say("result", **measurement.found)


if __name__ == "__main__":
    serve(_measure)
