"""This project's real window while four samplings compile and run, and two jobs chatter.

A process of its own, which the study asks for its gaps.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from side_by_side.cases import melt
from side_by_side.child import Mouth, serve
from side_by_side.work import report_often

from responsiveness_study.gaps import GapTimer
from responsiveness_study.jobs import CHAINS, DRAWS, MODELS, WARMUP
from rheojobs import BayesianWorker, WorkerPool
from rheojobs.inference.data import example_melt
from rheojobs.qt.app.main_window import MainWindow

CHATTERERS, REPORTS_PER_SECOND = 2, 1000
CHECK_MS = 50
LOOK_MS = 1000
"""What a user looks at the data and chooses a model, at the least."""


class _Measurement:
    """Opens the data, starts the jobs as a user would, and quits when the time is over."""

    def __init__(self, window: MainWindow, seconds: float) -> None:
        self._window, self._pool, self._seconds = window, window.pool, seconds
        self._gaps = GapTimer()
        self._progress = 0
        self._chatter: list[str] = []
        self._started: set[str] = set()
        self._calls: dict[str, int] = {}
        self._data = melt()  # read before the measuring: the window has read it on a thread
        self.found: dict[str, object] = {}
        self._pool.job_progress.connect(self._count)
        self._pool.job_started.connect(self._started.add)
        self._clock = QTimer(window, interval=CHECK_MS)
        self._clock.timeout.connect(self._begin)
        self._clock.start()
        window.open([example_melt.csv_path()])

    def _count(self, job_id: str, current: int, *_more: object) -> None:
        self._progress += 1
        if job_id in self._chatter:
            self._calls[job_id] = current

    def _begin(self) -> None:
        """Choose a model, once the window has its data and its models."""
        window = self._window
        if window.session.dataset is None or not window.model_picker.choose(MODELS[0]):
            return
        if window.run_panel.sample_button.isEnabled():
            self._clock.stop()
            QTimer.singleShot(LOOK_MS, self._sample)

    def _sample(self) -> None:
        """Click, and start the other jobs, each in a step of its own: one click follows another."""
        self._gaps.start()
        run = self._window.run_panel
        run.warmup.setValue(WARMUP)
        run.draws.setValue(run.draws.maximum())
        run.chains.setValue(CHAINS)
        run.sample_button.click()
        steps = [partial(self._submit, model) for model in MODELS[1:]]
        steps += [self._chat] * CHATTERERS
        for number, step in enumerate(steps):
            QTimer.singleShot(number, step)
        QTimer.singleShot(int(1000 * self._seconds), self._end)

    def _submit(self, model: str) -> None:
        self._pool.submit(BayesianWorker(model, self._data, WARMUP, DRAWS, CHAINS))

    def _chat(self) -> None:
        self._chatter.append(self._pool.run(report_often, self._seconds, REPORTS_PER_SECOND))

    def _end(self) -> None:
        self.found = self._gaps.stop() | {
            "jobs_started": len(self._started),
            "progress_calls": sum(self._calls.values()),
            "progress_signals": self._progress,
        }
        QApplication.quit()


def _measure(request: Mapping[str, Any], mouth: Mouth) -> None:
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory(prefix="rheojobs-responsive-") as folder:
        pool = WorkerPool(len(MODELS) + CHATTERERS, store=Path(folder) / "jobs.sqlite3")
        window = MainWindow(pool)
        window.show()
        measurement = _Measurement(window, request["seconds"])
        app.exec()
        pool.cancel_all()
        window.close()
        pool.shutdown()
    mouth.say("result", **measurement.found)


if __name__ == "__main__":
    serve(_measure)
