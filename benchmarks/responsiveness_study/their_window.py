"""A plain window with RheoJAX's job system in thread mode, while it runs the same four samplings.

A process of its own, as `own_window` is. It ends by `os._exit`: samplings on threads cannot be
stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

os.environ["RHEOJAX_WORKER_ISOLATION"] = "thread"

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
from rheojax.gui.jobs.process_adapter import make_bayesian_worker
from rheojax.gui.jobs.worker_pool import WorkerPool
from side_by_side.cases import melt
from side_by_side.child import Mouth, serve
from side_by_side.sides import rheo_data

from responsiveness_study.gaps import GapTimer
from responsiveness_study.jobs import CHAINS, DRAWS, MODELS, WARMUP


def _measure(request: Mapping[str, Any], mouth: Mouth) -> None:
    app = QApplication(sys.argv[:1])
    window = QMainWindow()
    label = QLabel("–")
    window.setCentralWidget(label)
    window.resize(1280, 800)
    window.show()
    pool = WorkerPool(len(MODELS))
    started: set[str] = set()
    progress: list[object] = []

    def tell(_job_id: str, *what: object) -> None:
        progress.append(what)
        label.setText(str(what))

    pool.job_started.connect(started.add)
    pool.job_progress.connect(tell)
    gaps = GapTimer()
    dataset = melt()

    def begin() -> None:
        gaps.start()
        for model in MODELS:
            pool.submit(make_bayesian_worker(model, rheo_data(dataset), WARMUP, DRAWS, CHAINS))
        QTimer.singleShot(int(1000 * request["seconds"]), end)

    def end() -> None:
        found = gaps.stop() | {
            "jobs_started": len(started),
            "progress_calls": None,
            "progress_signals": len(progress),
        }
        mouth.say("result", **found)
        os._exit(0)

    QTimer.singleShot(0, begin)
    app.exec()


if __name__ == "__main__":
    serve(_measure)
