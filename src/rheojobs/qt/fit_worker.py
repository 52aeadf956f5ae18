"""`FitWorker`: a Qt worker that fits by least squares, by running a `FitTask`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.inference.fits.task import FitTask
from rheojobs.inference.models.model import Model
from rheojobs.qt.binding import QObject, Signal
from rheojobs.qt.task_worker import TaskWorker

__all__ = ["FitWorker", "FitWorkerSignals"]


class FitWorkerSignals(QObject):
    """Signals of a `FitWorker`.

    Attributes
    ----------
    progress : Signal(int, float, str)
        Iteration, loss, message: one per iteration of the optimizer, at most 30 a second.
    completed : Signal(object)
        The `FitResult`.
    failed : Signal(str)
        The error message, one line.
    cancelled : Signal()
    reported : Signal(object)
        The whole `Progress` of an iteration. Its metrics have the present parameters, the
        present curve as `curve_x` and `curve_y`, and the `losses` so far: three rows, the
        iterations, their losses, and the number of the start to which each belongs.
    """

    progress = Signal(int, float, str)
    completed = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    reported = Signal(object)


class FitWorker(TaskWorker):
    """Fits a model to data.

    Parameters
    ----------
    model_name : str or Model
        A name from the catalogue, or a plain JAX function with its parameters.
    data : object
        RheoJAX's `RheoData`, a `Dataset`, a pair ``(x, y)``, or a mapping with x and y.
    initial_params : mapping, optional
        Initial values; those that are missing are estimated from the data.
    options : mapping, optional
        max_iter, ftol, xtol, gtol, multi_start, weights, test_mode, protocol, model_config, loss,
        fixed, tied, intervals, bounds, as in `FitOptions`.
    cancel_token : CancellationToken, optional
        Stops the fit.
    """

    signals: FitWorkerSignals

    def __init__(
        self,
        model_name: str | Model,
        data: object,
        initial_params: Mapping[str, float] | None = None,
        options: Mapping[str, Any] | None = None,
        cancel_token: CancellationToken | None = None,
    ) -> None:
        task = FitTask(model_name, data, initial_params, options)
        super().__init__(task, FitWorkerSignals(), cancel_token)

    def relay_progress(self, progress: Progress) -> None:
        """Emit an iteration; reports before the first have no loss."""
        if progress.stage == "fit":
            self.signals.progress.emit(
                progress.current, float(progress.metrics["loss"]), progress.message
            )
            self.signals.reported.emit(progress)
