"""A window of your own with the table of jobs and the plot of rheojobs beside your own widgets.

Run it with `python window_with_job_table.py`. Each press of the button fits the model chosen above
it; the table cancels, pauses, resumes and removes the selected jobs.
"""

import sys

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QMainWindow,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from rheojobs import FitWorker, WorkerPool, read
from rheojobs.inference.data import example_melt
from rheojobs.qt.garbage_collection import GarbageCollection
from rheojobs.qt.widgets.jobs.table import JobTable
from rheojobs.qt.widgets.plots.data_plot import DataPlot

MODELS = ["fractional_maxwell_model", "fractional_maxwell_liquid", "maxwell", "zener"]


class Window(QMainWindow):
    def __init__(self):
        super().__init__()
        self.data, self.pool = read(example_melt.csv_path()), WorkerPool(max_threads=2)
        self.plot, self.jobs = DataPlot(), JobTable(self.pool)
        self.plot.show_data(self.data)
        self.setCentralWidget(self.arranged(self.own_widgets()))
        self.resize(900, 600)

    def own_widgets(self):
        """Return widgets that are not of rheojobs."""
        self.models, self.button = QComboBox(), QPushButton("Fit", clicked=self.fit)
        self.models.addItems(MODELS)
        own = QWidget()
        column = QVBoxLayout(own)
        column.addWidget(self.models)
        column.addWidget(self.button)
        column.addStretch()
        return own

    def arranged(self, own):
        upper, whole = QSplitter(), QSplitter(Qt.Orientation.Vertical)
        upper.addWidget(own)
        upper.addWidget(self.plot)
        upper.setStretchFactor(1, 1)
        whole.addWidget(upper)
        whole.addWidget(self.jobs)
        whole.setSizes([400, 200])
        return whole

    def fit(self):
        model = self.models.currentText()
        worker = FitWorker(model, self.data)
        worker.signals.completed.connect(lambda result: self.plot.show_curve(model, result.fitted))
        worker.signals.failed.connect(self.statusBar().showMessage)
        self.pool.submit(worker)

    def closeEvent(self, event):
        self.jobs.close_down()
        self.pool.shutdown()


if __name__ == "__main__":
    app = QApplication(sys.argv)
    collection = GarbageCollection(app)  # Python's cycles are collected in this thread only
    window = Window()
    window.show()
    sys.exit(app.exec())
