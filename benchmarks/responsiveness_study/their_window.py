"""A plain window with RheoJAX's job system in thread mode, while it runs the same four samplings.

Run as a module by the study, in a process of its own, as `own_window` is. It ends by
`os._exit`: samplings on threads cannot be stopped.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["RHEOJAX_WORKER_ISOLATION"] = "thread"

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
from rheojax.core.data import RheoData
from rheojax.gui.jobs.process_adapter import make_bayesian_worker
from rheojax.gui.jobs.worker_pool import WorkerPool

from responsiveness_study.gaps import GapTimer
from responsiveness_study.jobs import CHAINS, DRAWS, MODELS, WARMUP, data


def main() -> None:
    """Measure, and print what was found."""
    seconds = float(sys.argv[1])
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
    dataset = data()

    def begin() -> None:
        gaps.start()
        for model in MODELS:
            rheo_data = RheoData(
                x=dataset.x, y=dataset.y, domain="frequency", initial_test_mode="oscillation"
            )
            pool.submit(make_bayesian_worker(model, rheo_data, WARMUP, DRAWS, CHAINS))
        QTimer.singleShot(int(1000 * seconds), end)

    def end() -> None:
        found = gaps.stop() | {
            "jobs_started": len(started),
            "progress_calls": None,
            "progress_signals": len(progress),
        }
        print(json.dumps(found), flush=True)
        os._exit(0)

    QTimer.singleShot(0, begin)
    app.exec()


if __name__ == "__main__":
    main()
