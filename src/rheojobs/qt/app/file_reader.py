"""Reads files in the background: plain tables on a thread, other files in a worker process."""

from __future__ import annotations

import logging
from pathlib import Path

from qtpy.QtCore import QObject, QRunnable, Signal

from rheojobs.errors import one_line
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.read import PLAIN_SUFFIXES, read
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["FileReader"]

logger = logging.getLogger(__name__)


class _ReadSignals(QObject):
    completed = Signal(object)
    failed = Signal(str)


class _ReadWorker(QRunnable):
    """Reads one file on a thread of the pool."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.signals = _ReadSignals()
        self._path = path

    def run(self) -> None:
        try:
            dataset = read(self._path)
        except Exception as error:  # a strange file may raise anything; the signal reports it
            logger.debug("%s cannot be read", self._path, exc_info=True)
            self.signals.failed.emit(one_line(error))
        else:
            self.signals.completed.emit(dataset)


class FileReader(QObject):
    """Reads measured data without blocking the window.

    Attributes
    ----------
    dataset_read : Signal(object, object)
        A `Dataset`, and the `Path` that it was read from.
    failed : Signal(str, object)
        Why a file could not be read, in one line, and its `Path`.
    advanced : Signal(int, int)
        How many files are done, and of how many; both count from when none was being read.
    """

    dataset_read = Signal(object, object)
    failed = Signal(str, object)
    advanced = Signal(int, int)

    def __init__(self, pool: WorkerPool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = pool
        self._jobs: dict[str, Path] = {}
        self._total = 0
        pool.job_completed.connect(self._on_completed)
        pool.job_failed.connect(self._on_failed)
        pool.job_cancelled.connect(self._on_cancelled)

    def read(self, path: Path) -> None:
        """Start reading a file."""
        self._total = self._total + 1 if self._jobs else 1
        if path.suffix.lower() in PLAIN_SUFFIXES or not path.is_file():
            self._jobs[self._pool.submit(_ReadWorker(path))] = path
        else:
            self._jobs[self._pool.run_here(read, path)] = path

    def is_busy(self) -> bool:
        """Whether files are being read."""
        return bool(self._jobs)

    def _on_completed(self, job_id: str, dataset: object) -> None:
        if job_id in self._jobs:
            assert isinstance(dataset, Dataset)
            self.dataset_read.emit(dataset, self._pop(job_id))

    def _on_failed(self, job_id: str, message: str) -> None:
        if job_id in self._jobs:
            self.failed.emit(message, self._pop(job_id))

    def _on_cancelled(self, job_id: str) -> None:
        if job_id in self._jobs:
            path = self._pop(job_id)
            self.failed.emit(f"{path.name} was not read: its job was cancelled", path)

    def _pop(self, job_id: str) -> Path:
        """Return the path of a file that is done, and say so."""
        path = self._jobs.pop(job_id)
        self.advanced.emit(self._total - len(self._jobs), self._total)
        return path
