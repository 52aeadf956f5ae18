"""`WindowSession`: the job that the window runs on the present data, and their last fit.

It starts fits and samplings on the pool and reports their progress and results.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from qtpy.QtCore import QObject, QTimer, Signal

from rheojobs.engine.errors import EngineClosedError
from rheojobs.engine.events import Progress
from rheojobs.engine.jobs.job import Job
from rheojobs.engine.states import JobState
from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.catalogue import ModelInfo
from rheojobs.inference.models.own.reference import shown_name
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.qt.app.dataset_library import DatasetLibrary
from rheojobs.qt.app.job_follower import JobFollower
from rheojobs.qt.bayesian_worker import BayesianWorker
from rheojobs.qt.fit_worker import FitWorker
from rheojobs.qt.worker_pool import WorkerPool

__all__ = ["WindowSession", "as_predicted"]

PREWARM_AFTER_MS = 400
"""How long a choice must last before its programs are compiled: the user may be scrolling."""


class WindowSession(QObject):
    """One job at a time on the present dataset.

    Parameters
    ----------
    pool : WorkerPool
        Runs the job.
    library : DatasetLibrary
        Holds the data.
    parent : QObject, optional
        The Qt parent.

    Attributes
    ----------
    fit_result : FitResult or None
        The last fit of the present data.
    submitted : tuple of (Dataset, FitTask or SampleTask) or None
        The data and the task of the last job, as it was given.
    reported : Signal(object)
        The `Progress` of the job; without a stage before its first iteration or step.
    paused_changed : Signal(bool)
        The job is paused, or resumed.
    fitted, sampled : Signal(object)
        A `FitResult`, a `BayesianResult`.
    failed : Signal(str)
        The job failed; one line.
    cancelled : Signal(object)
        The job was stopped; its partial result, or None.
    released : Signal()
        The job is no longer followed; it keeps running, in the table of jobs.
    """

    reported = Signal(object)
    paused_changed = Signal(bool)
    fitted = Signal(object)
    sampled = Signal(object)
    failed = Signal(str)
    cancelled = Signal(object)
    released = Signal()

    def __init__(
        self, pool: WorkerPool, library: DatasetLibrary, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._pool = pool
        self._library = library
        self._job: Job | None = None
        self._worker: FitWorker | BayesianWorker | None = None
        self.fit_result: FitResult | None = None
        self.submitted: tuple[Dataset, FitTask | SampleTask] | None = None
        self._likely: ModelInfo | None = None
        self._patience = QTimer(self, singleShot=True, interval=PREWARM_AFTER_MS)
        self._patience.timeout.connect(self._prewarm)
        self._is_paused = False
        # Others can pause the job too, such as the table of jobs: only its state counts.
        self._follower = JobFollower(pool.engine, self)
        self._follower.state_changed.connect(self._on_state)
        pool.job_progress.connect(self._on_progress)
        library.shown.connect(self._forget_fit)

    @property
    def dataset(self) -> Dataset | None:
        """The present data."""
        return self._library.dataset

    @property
    def is_running(self) -> bool:
        """Whether a fit or a sampling runs."""
        return self._job is not None

    @property
    def is_paused(self) -> bool:
        """Whether the job is paused."""
        return self._job is not None and self._job.state is JobState.PAUSED

    def dataset_for(self, model: ModelInfo | None) -> Dataset | None:
        """Return the present data in the quantity that a model predicts."""
        return None if self.dataset is None else as_predicted(self.dataset, model)

    def others_for(self, model: ModelInfo | None) -> list[Dataset]:
        """Return the other data of the same test, in the quantity that a model predicts."""
        mine = self.dataset
        if mine is None:
            return []
        others = (data for data in self._library.datasets if data is not mine)
        shown = [as_predicted(d, model) for d in others if d.test_mode == mine.test_mode]
        quantity = as_predicted(mine, model).quantity
        return [data for data in shown if data.quantity == quantity]

    def fit(
        self,
        model: ModelInfo,
        start: Mapping[str, float],
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Fit a model to the present data; estimate the initial values that `start` lacks."""
        worker = FitWorker(
            model.name, self._data(), dict(start), model.options | dict(options or {})
        )
        signals = worker.signals
        signals.reported.connect(self.reported)
        signals.completed.connect(self._on_fitted)
        self._submit(worker)

    def sample(self, model: ModelInfo, options: Mapping[str, Any]) -> None:
        """Sample the posterior, starting from the last fit of this model if there is one.

        Parameters
        ----------
        model : ModelInfo
            The model of the posterior.
        options : mapping
            As in `SampleOptions`.
        """
        last = self.fit_result
        start = last.parameters if last is not None and _is_of(last, model) else None
        given = model.options | dict(options)
        worker = BayesianWorker(model.name, self._data(), warm_start=start, **given)
        signals = worker.signals
        signals.reported.connect(self.reported)
        signals.completed.connect(self._on_sampled)
        self._submit(worker)

    def prewarm(self, model: ModelInfo | None) -> None:
        """Prepare a worker for this model and the present data, after a short delay."""
        self._likely = model
        self._patience.start()

    def _prewarm(self) -> None:
        model, data = self._likely, self.dataset
        if model is None or data is None or data.test_mode is None or self.is_running:
            return
        with contextlib.suppress(EngineClosedError):  # the window is being closed
            self._pool.prewarm(
                model.name, data.test_mode, x=data.x, protocol=data.protocol, **model.options
            )

    def cancel(self) -> bool:
        """Ask the job to stop; False if none runs."""
        return self._job is not None and self._pool.cancel(self._job.id)

    def pause(self) -> bool:
        """Pause the job at its next check point; False if none runs."""
        return self._job is not None and self._job.pause()

    def resume(self) -> bool:
        """Resume a paused job; False if there is none."""
        return self._job is not None and self._job.resume()

    def release(self) -> None:
        """Stop following the job; it keeps running, and its result goes to the store."""
        if self._worker is not None:
            self._worker.signals.blockSignals(True)
            self._end()
            self.released.emit()

    def _forget_fit(self) -> None:
        self.fit_result = None

    def _on_state(self, state: JobState) -> None:
        self._tell_paused(state is JobState.PAUSED)

    def _tell_paused(self, paused: bool) -> None:
        if paused != self._is_paused:
            self._is_paused = paused
            self.paused_changed.emit(paused)

    def _data(self) -> Dataset:
        if self.dataset is None:
            raise InputError("there are no data yet: open a file")
        return self.dataset

    def _submit(self, worker: FitWorker | BayesianWorker) -> None:
        worker.signals.failed.connect(self._on_failed)
        worker.signals.cancelled.connect(self._on_cancelled)
        self._worker = worker
        task = worker.task
        assert isinstance(task, FitTask | SampleTask)
        self.submitted = self._data(), replace(task)  # validating it sets its options
        self._job = self._pool.job(self._pool.submit(worker))
        self._follower.follow(self._job)

    def _end(self) -> None:
        self._job = self._worker = None
        self._follower.leave()
        self._tell_paused(False)

    def _on_progress(self, job_id: str, current: int, total: int, message: str) -> None:
        if self._job is not None and job_id == self._job.id and total == 0:
            self.reported.emit(Progress(current, total, message))

    def _on_fitted(self, result: FitResult) -> None:
        self._end()
        self.fit_result = result
        self.fitted.emit(result)

    def _on_sampled(self, result: BayesianResult) -> None:
        self._end()
        self.sampled.emit(result)

    def _on_failed(self, message: str) -> None:
        self._end()
        self.failed.emit(message)

    def _on_cancelled(self) -> None:
        partial = self._job.partial if self._job is not None else None
        self._end()
        self.cancelled.emit(partial)


def _is_of(result: FitResult, model: ModelInfo) -> bool:
    """Whether a result has the parameters of a model with its present settings."""
    names = {item.name for item in model.parameters}
    return result.model_name == shown_name(model.name) and result.parameters.keys() >= names


def as_predicted(data: Dataset, model: ModelInfo | None) -> Dataset:
    """Return a dataset in the quantity that a model predicts."""
    if model is None or data.test_mode != "flow_curve":
        return data
    return data.as_flow_quantity(cast(Literal["stress", "viscosity"], model.flow_quantity))
