"""The smallest window: a button that fits and cancels, and a clean close.

Run it with `python smallest_window.py`. The window never freezes, whatever the fit does.
"""

import sys

from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton

from rheojobs import FitWorker, WorkerPool, read
from rheojobs.inference.data import example_melt


class Window(QMainWindow):
    def __init__(self):
        super().__init__()
        self.data, self.pool = read(example_melt.csv_path()), WorkerPool(max_threads=1)
        self.button = QPushButton("Fit", clicked=self.fit_or_cancel)
        self.setCentralWidget(self.button)
        self.pool.job_progress.connect(lambda job, now, total, text: self.show_end(text, "Cancel"))
        self.pool.job_completed.connect(lambda job, result: self.show_end(f"{result.parameters}"))
        self.pool.job_failed.connect(lambda job, message: self.show_end(message))
        self.pool.job_cancelled.connect(lambda job: self.show_end("cancelled"))

    def fit_or_cancel(self):
        if self.pool.cancel_all() == 0:
            self.pool.submit(FitWorker("fractional_maxwell_model", self.data))

    def show_end(self, text, next_action="Fit"):
        self.statusBar().showMessage(text)
        self.button.setText(next_action)

    def closeEvent(self, event):
        self.pool.shutdown()  # cancels what runs, and leaves no process behind


if __name__ == "__main__":
    app, window = QApplication(sys.argv), Window()
    window.show()
    sys.exit(app.exec())
