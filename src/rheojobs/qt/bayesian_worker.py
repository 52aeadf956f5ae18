"""`BayesianWorker`: a Qt worker that samples with NUTS, by running a `SampleTask`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rheojobs.engine.cancellation import CancellationToken
from rheojobs.engine.events import Progress
from rheojobs.inference.models.model import Model
from rheojobs.inference.sampling.options import DRAWS, SampleOptions
from rheojobs.inference.sampling.task import SampleTask
from rheojobs.qt.binding import QObject, Signal
from rheojobs.qt.task_worker import TaskWorker

__all__ = ["BayesianWorker", "BayesianWorkerSignals"]


class BayesianWorkerSignals(QObject):
    """Signals of a `BayesianWorker`.

    Attributes
    ----------
    progress : Signal(int, int, int)
        Chain (from 0), steps taken, and steps in all, warm-up included.
    stage_changed : Signal(str)
        ``"warmup"`` or ``"sampling"``.
    completed : Signal(object)
        The `BayesianResult`.
    failed : Signal(str)
        The error message, one line.
    cancelled : Signal()
    divergence_detected : Signal(int)
        The number of divergences so far, after the warm-up.
    reported : Signal(object)
        The whole `Progress` of warm-up and sampling: its metrics have R-hat and ESS, step sizes
        and acceptance, and about once a second the thinned draws as `traces`; before the first
        draws a `preview`, also in a report before the warm-up.
    """

    progress = Signal(int, int, int)
    stage_changed = Signal(str)
    completed = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    divergence_detected = Signal(int)
    reported = Signal(object)


class BayesianWorker(TaskWorker):
    """Samples the posterior of a model.

    Parameters
    ----------
    model_name : str or Model
        A name from the catalogue, or a plain JAX function with its parameters.
    data : object
        RheoJAX's `RheoData`, a `Dataset`, a pair ``(x, y)``, or a mapping with x and y.
    num_warmup, num_samples, num_chains, priors, seed
        As in `SampleOptions`.
    warm_start : mapping, optional
        Parameters to start from: those of a `FitResult`.
    cancel_token : CancellationToken, optional
        Stops the sampling.
    checkpoint : path, optional
        As in `SampleTask`.
    **options
        As in `SampleOptions`.
    """

    signals: BayesianWorkerSignals

    def __init__(
        self,
        model_name: str | Model,
        data: object,
        num_warmup: int = SampleOptions.num_warmup,
        num_samples: int = DRAWS,
        num_chains: int = SampleOptions.num_chains,
        warm_start: Mapping[str, float] | None = None,
        priors: Mapping[str, Any] | None = None,
        seed: int = SampleOptions.seed,
        cancel_token: CancellationToken | None = None,
        *,
        checkpoint: str | Path | None = None,
        **options: Any,
    ) -> None:
        task = SampleTask(
            model_name,
            data,
            num_warmup=num_warmup,
            num_samples=num_samples,
            num_chains=num_chains,
            warm_start=warm_start,
            priors=priors or {},
            seed=seed,
            checkpoint=checkpoint,
            **options,
        )
        super().__init__(task, BayesianWorkerSignals(), cancel_token)
        self._told: dict[int, int] = {}
        self._stage = ""
        self._divergences = 0

    def relay_progress(self, progress: Progress) -> None:
        """Emit the stage when it changes, each chain that has advanced, and new divergences."""
        if progress.stage not in ("warmup", "sampling"):
            if "preview" in progress.metrics:
                self.signals.reported.emit(progress)
            return
        if progress.stage != self._stage:
            self._stage = progress.stage
            self.signals.stage_changed.emit(progress.stage)
        metrics = progress.metrics
        total = metrics["num_warmup"] + metrics["num_samples"]
        for chain, done in enumerate(metrics["chains"]):
            if done != self._told.get(chain, 0):
                self._told[chain] = done
                self.signals.progress.emit(chain, done, total)
        if metrics["divergences"] > self._divergences:
            self._divergences = metrics["divergences"]
            self.signals.divergence_detected.emit(self._divergences)
        self.signals.reported.emit(progress)
