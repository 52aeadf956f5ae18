"""`SeriesFits`: fits many files, a job each, and writes what becomes of them into their rows."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from qtpy.QtCore import QObject, Signal

from rheojobs.engine.errors import EngineClosedError
from rheojobs.engine.events import Progress
from rheojobs.errors import InputError
from rheojobs.inference.batch.trend import better_of
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.app.series.fit_request import FitRequest
from rheojobs.qt.fit_worker import FitWorker
from rheojobs.qt.widgets.common.refresh import InSteps
from rheojobs.qt.widgets.series.model import SeriesModel
from rheojobs.qt.widgets.series.rows import SeriesRow
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["SeriesFits"]

BEHIND = -1
"""Priority of these jobs: a single fit or sampling need not wait for two hundred of them."""


class SeriesFits(QObject):
    """The fits of a series; those of different files run side by side.

    Parameters
    ----------
    pool : WorkerPool
        Runs the jobs.
    model : SeriesModel
        Has the rows.
    parent : QObject
        The Qt parent.

    Attributes
    ----------
    fitted : Signal(object)
        A `SeriesRow` that has got a fit.
    """

    fitted = Signal(object)

    def __init__(self, pool: WorkerPool, model: SeriesModel, parent: QObject) -> None:
        super().__init__(parent)
        self._pool, self._model = pool, model
        self._jobs: dict[SeriesRow, str] = {}
        # Each submission writes to the store: the window handles its events in between.
        self._steps = InSteps(self)

    def fit(self, rows: Sequence[SeriesRow], request: FitRequest) -> None:
        """Fit these rows."""
        for row in rows:
            self.fit_one(row, request)

    def fit_one(self, row: SeriesRow, request: FitRequest) -> None:
        """Fit one row."""
        row.is_waiting, row.is_stopped, row.iteration, row.remark = True, False, 0, ""
        row.recipe = request
        if not request.is_repeat:
            row.label, row.fit, row.fitted, row.problem = request.label, None, None, ""
        self._model.touch(row)
        self._steps.add(functools.partial(self._submit, row, request))

    def cancel(self) -> None:
        """Stop all fits."""
        self._steps.cancel()
        for row in self._model.rows:
            if row.is_busy and row not in self._jobs:
                self._stop(row)
        for job_id in reversed(list(self._jobs.values())):  # else those that wait would begin
            self._pool.cancel(job_id)

    def leave(self, row: SeriesRow) -> None:
        """Forget a row whose data were closed; its job keeps running, in the table of jobs."""
        row.is_waiting = row.is_fitting = False
        self._jobs.pop(row, None)

    def drop(self, row: SeriesRow) -> None:
        """Stop the fit of a row whose data were read in another way."""
        job_id = self._jobs.get(row, "")
        self.leave(row)
        self._pool.cancel(job_id)

    # ---------------------------------------------------------------- one fit

    def _submit(self, row: SeriesRow, request: FitRequest) -> None:
        if not row.is_waiting:  # its data were closed, or it was stopped
            return
        worker = FitWorker(request.model, row.dataset, dict(request.start), dict(request.options))
        signals = worker.signals
        signals.reported.connect(lambda progress: self._on_progress(row, progress))
        signals.completed.connect(lambda result: self._on_completed(row, request, worker, result))
        signals.failed.connect(lambda message: self._on_failed(row, message))
        signals.cancelled.connect(lambda: self._on_cancelled(row))
        try:
            self._jobs[row] = job_id = self._pool.submit(worker)
            self._pool.job(job_id).priority = BEHIND
        except InputError as error:
            self._fail(row, str(error))
        except EngineClosedError:  # the window is being closed
            self._stop(row)

    def _on_progress(self, row: SeriesRow, progress: Progress) -> None:
        if row in self._jobs:
            row.is_waiting, row.is_fitting, row.iteration = False, True, progress.current
            self._model.touch(row)

    def _on_completed(
        self, row: SeriesRow, request: FitRequest, worker: FitWorker, result: FitResult
    ) -> None:
        if row not in self._jobs:  # its data were closed
            return
        self._end(row)
        before, row.problem = row.fit, ""
        row.fit = better_of(before, result) if request.is_repeat else result
        if before is not None and row.fit is before:
            row.remark = self.tr("fitted again from {n} starts: no better fit").format(
                n=request.options["multi_start"]
            )
            return
        assert isinstance(worker.task, FitTask)
        row.label, row.fitted = request.label, worker.task.checked_data()
        self.fitted.emit(row)

    def _on_failed(self, row: SeriesRow, message: str) -> None:
        if row in self._jobs:
            self._fail(row, message)

    def _on_cancelled(self, row: SeriesRow) -> None:
        if row in self._jobs:
            self._stop(row)

    def _fail(self, row: SeriesRow, message: str) -> None:
        self._end(row)
        if row.fit is None:
            row.problem = message
        else:
            row.remark = self.tr("the repeated fit failed: {why}").format(why=message)

    def _stop(self, row: SeriesRow) -> None:
        self._end(row)
        row.is_stopped = True

    def _end(self, row: SeriesRow) -> None:
        self._jobs.pop(row, None)
        row.is_waiting = row.is_fitting = False
        self._model.touch(row)
