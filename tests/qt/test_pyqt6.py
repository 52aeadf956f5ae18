"""Pool, workers and widgets in applications of PyQt6, each in a process of its own.

`make test-pyqt6` runs other tests under PyQt6 too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.qt.test_window import SCRIPT

from rheojobs.inference.data import example_melt

# Not importorskip, which would import it beside PySide6.
if importlib.util.find_spec("PyQt6") is None:
    pytest.skip("PyQt6 is not installed", allow_module_level=True)

EMBEDDED = """
import json, sys
from PyQt6.QtCore import QCoreApplication, QEvent, QThread
from PyQt6.QtWidgets import QApplication, QMainWindow

from rheojobs import FitWorker, WorkerPool
from rheojobs.qt.garbage_collection import GarbageCollection
from rheojobs.qt.widgets.jobs.table import JobTable
from tests.qt.helpers import count_to, decay_data, decay_model


class Window(QMainWindow):
    def __init__(self):
        super().__init__()
        self.pool = WorkerPool(2)
        self.jobs = JobTable(self.pool)
        self.setCentralWidget(self.jobs)
        self.said = {}
        self.progress = set()
        self.results = []
        for name in ("job_started", "job_completed", "job_failed", "job_cancelled"):
            getattr(self.pool, name).connect(lambda id, *_, name=name: self.hear(id, name))
        self.pool.job_progress.connect(self.count)
        worker = FitWorker(decay_model(), decay_data())
        worker.signals.completed.connect(self.results.append)
        self.fit = self.pool.submit(worker)
        self.counted = self.pool.run(count_to, 20)
        self.endless = self.pool.run(count_to, 1_000_000)

    def count(self, job_id, current, total, message):
        assert QThread.currentThread() is self.thread()
        self.progress.add(job_id)
        if job_id == self.endless and current >= 10 and not self.jobs.selected_rows():
            self.jobs.select(job_id)
            self.jobs.verbs.refresh()
            self.jobs.verbs.cancel.trigger()

    def hear(self, job_id, name):
        self.said.setdefault(job_id, []).append(name)
        ends = [names[-1] for names in self.said.values()]
        if len(ends) == 3 and "job_started" not in ends:
            self.grab()
            self.close()

    def closeEvent(self, event):
        self.jobs.close_down()
        self.ended = self.pool.shutdown()
        super().closeEvent(event)


app = QApplication(sys.argv)
collection = GarbageCollection(app)
window = Window()
window.show()
status = app.exec()
facts = {
    "fit": window.said[window.fit],
    "counted": window.said[window.counted],
    "endless": window.said[window.endless],
    "rows": window.jobs.model.rowCount(),
    "tau": window.results[0].parameters["tau"],
    "made progress": len(window.progress),
    "ended": window.ended,
    "modules": sorted({"PySide6", "shiboken6", "PyQt6"} & set(sys.modules)),
}
window.deleteLater()
QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)
print(json.dumps(facts))
sys.exit(status)
"""

COLLECTED = """
import gc
from PyQt6.QtCore import QCoreApplication, QObject
from rheojobs import EngineClosedError, WorkerPool
from rheojobs.qt.background import Background

app = QCoreApplication([])
gc.disable()
closed = 0
for owned_by_qt in (False, True):
    for _ in range(20):
        parent = QObject()
        parent.pool = WorkerPool(1, parent, executor="threads")
        parent.background = Background(parent)
        parent.pool.up = parent.background.up = parent  # only the collector ends this circle
        parent.background.do(int, print)
        engine = parent.pool.engine
        if owned_by_qt:
            parent.deleteLater()
        del parent
        gc.collect()
        app.processEvents()
        try:
            engine.run(int)
        except EngineClosedError:
            closed += 1
print(closed)
"""

RAISING = """
import sys
from PyQt6.QtCore import QCoreApplication, QTimer
from rheojobs.qt.background import Background

def fail(_):
    raise ZeroDivisionError("a fault of the receiver")

app = QCoreApplication([])
background = Background()
background.do(int, fail)
background.do(int, lambda _: app.quit())
QTimer.singleShot(20_000, lambda: app.exit(3))
status = app.exec()
background.close()
sys.exit(status)
"""

PLOTS = """
import sys
from PyQt6.QtWidgets import QApplication
app = QApplication([])
from rheojobs.qt.widgets.plots.data_plot import DataPlot
from tests.qt.helpers import decay_data
import pyqtgraph
plot = DataPlot()
plot.show_data(decay_data())
plot.show()
plot.grab()
print(pyqtgraph.Qt.QT_LIB, "PySide6" in sys.modules)
"""


def run(
    script: str, *arguments: str, state: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, in which QT_API is not set unless given."""
    inherited = {name: text for name, text in os.environ.items() if name != "QT_API"}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=inherited
        | {
            "QT_QPA_PLATFORM": "offscreen",
            "RHEOJOBS_STATE_DIR": str(state),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]),
        }
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what a script printed last, if it ended well."""
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_job_table_of_a_pool_in_a_window_of_pyqt6(tmp_path: Path) -> None:
    facts = said(run(EMBEDDED, state=tmp_path, QT_API="pyqt6"))
    assert facts.pop("tau") == pytest.approx(1.5, rel=0.1)
    assert facts == {
        "fit": ["job_started", "job_completed"],
        "counted": ["job_started", "job_completed"],
        "endless": ["job_started", "job_cancelled"],
        "rows": 3,
        "made progress": 3,
        "ended": True,
        "modules": ["PyQt6"],
    }


def test_the_whole_window_fits_and_closes(tmp_path: Path) -> None:
    facts = said(run(SCRIPT, str(example_melt.csv_path()), state=tmp_path, QT_API="pyqt6"))
    assert (facts["loaded"], facts["status"]) == ([], 0)


def test_what_python_collects_is_shut_down(tmp_path: Path) -> None:
    assert said(run(COLLECTED, state=tmp_path)) == 40


def test_an_error_of_a_receiver_is_printed_and_ends_nothing(tmp_path: Path) -> None:
    done = run(RAISING, state=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.rstrip().endswith("ZeroDivisionError: a fault of the receiver")


def test_plots_use_the_binding_of_the_application(tmp_path: Path) -> None:
    done = run(PLOTS, state=tmp_path)
    assert (done.returncode, done.stdout) == (0, "PyQt6 False\n"), done.stderr
