"""The smallest window: a button that fits and cancels, and a clean close. It never freezes.

Run it with `python smallest_window.py`.
"""

from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton

from rheojobs import FitWorker, WorkerPool, read
from rheojobs.inference.data import example_melt


class Window(QMainWindow):
    def __init__(self):
        super().__init__()
        self.data, self.pool = read(example_melt.csv_path()), WorkerPool(max_threads=1)
        self.button = QPushButton("Fit", clicked=self.fit_or_cancel)
        self.setCentralWidget(self.button)
        self.pool.job_progress.connect(lambda job, now, total, text: self.tell(text, True))
        self.pool.job_completed.connect(lambda job, fit: self.tell(f"R² = {fit.r_squared:.4f}"))
        self.pool.job_failed.connect(lambda job, message: self.tell(message))
        self.pool.job_cancelled.connect(lambda job: self.tell("cancelled"))

    def fit_or_cancel(self):
        if self.pool.cancel_all() == 0:  # there was none to cancel
            self.pool.submit(FitWorker("fractional_maxwell_liquid", self.data))

    def tell(self, text, is_running=False):
        self.statusBar().showMessage(text)
        self.button.setText("Cancel" if is_running else "Fit")

    def closeEvent(self, event):
        self.pool.shutdown()  # cancels what runs, and leaves no process behind


if __name__ == "__main__":
    app, window = QApplication([]), Window()
    window.show()
    app.exec()
